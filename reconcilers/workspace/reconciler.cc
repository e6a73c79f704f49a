#include "reconcilers/workspace/reconciler.h"

#include "base/text.h"
#include "crds/plugin.h"
#include "reconcilers/common/kept_volumes.h"
#include "reconcilers/environment/workspace_env.h"
#include "reconcilers/workspace/execute.h"
#include "reconcilers/workspace/report.h"

namespace atelier::reconcilers {
namespace {

using crds::Plugin;
using crds::PluginInstall;
using crds::Workspace;
using workspace::Found;
using workspace::Observed;
using workspace::Plan;
using workspace::WantedPlugin;

constexpr Duration image_retry = std::chrono::minutes(1);
constexpr std::string_view unreachable = "RuntimeUnreachable";  // a reason that report() gives

bool belongs(const PluginInstall& install, const Workspace& object) {
    return install.spec.workspace == object.meta.name;
}

WantedPlugin wanted(const std::string& name, const std::optional<Plugin>& plugin) {
    WantedPlugin out{name, WantedPlugin::State::missing, "", {}};
    if (!plugin || plugin->being_deleted()) return out;
    if (plugin->status.approved) {
        out.state = WantedPlugin::State::resolved;
        out.version = *plugin->status.approved;
        return out;
    }
    const crds::Condition* stalled = plugin->status.find(crds::condition::stalled);
    const bool failing = stalled && stalled->status == crds::ConditionStatus::yes;
    out.state = failing ? WantedPlugin::State::failing : WantedPlugin::State::unresolved;
    if (failing) out.problem = stalled->message;
    return out;
}

Result<workspace::Sources> read_sources(const Objects& objects, const Workspace& object) {
    workspace::Sources sources;
    const auto secret = [&](const std::string& name) -> Result<void> {
        if (sources.secrets.contains(name)) return {};
        auto found = TRY(objects.secret(object.meta.ns, name));
        sources.secrets[name] = found ? std::optional(std::move(found->data)) : std::nullopt;
        return {};
    };
    const auto config_map = [&](const std::string& name) -> Result<void> {
        if (sources.config_maps.contains(name)) return {};
        auto found = TRY(objects.config_map(object.meta.ns, name));
        sources.config_maps[name] = found ? std::optional(std::move(found->data)) : std::nullopt;
        return {};
    };
    for (const crds::EnvFrom& from : object.spec.env_from) {
        if (from.secret_ref) TRY(secret(from.secret_ref->name));
        if (from.config_map_ref) TRY(config_map(from.config_map_ref->name));
    }
    for (const crds::EnvValue& one : object.spec.env) {
        if (one.secret_key_ref) TRY(secret(one.secret_key_ref->name));
        if (one.config_map_key_ref) TRY(config_map(one.config_map_key_ref->name));
    }
    return sources;
}

// Two that write into the same volumes would spoil them: the other one has them that is their own
// workspace, or else the one whose uid comes first.
std::optional<std::string> older_holder(const Objects& objects, const Workspace& object) {
    if (object.meta.annotation(crds::annotation::volumes_of).empty()) return std::nullopt;
    const std::string uid = crds::volumes_uid(object.meta);
    for (const VolumesHolder& other : holders_of_volumes(objects, uid, object.meta.uid)) {
        if (other.uid == uid || other.uid < object.meta.uid) return other.name;
    }
    return std::nullopt;
}

}  // namespace

// In the runtime where it should be, and in the one where it was. When it is being deleted, in all.
void WorkspaceReconciler::observe_units(const Workspace& object, Observed& observed) const {
    std::vector<std::string> backends;
    for (const auto& [name, runtime] : runtimes_.by_backend) {
        if (object.being_deleted() || name == observed.backend || name == object.status.backend) {
            backends.push_back(name);
        }
    }
    for (const std::string& name : backends) {
        const auto units = runtimes_.by_backend.at(name)->list(
            labels_of_name(runtimes_, object.meta.ns, object.meta.name));
        if (!units) {
            observed.place = Observed::Place::unknown;
            observed.problem =
                "the runtime \"" + name + "\" does not answer: " + units.error().message;
            return;
        }
        for (const drivers::Unit& unit : *units) observed.units.push_back({name, unit});
    }
}

Result<void> WorkspaceReconciler::observe_plugins(const Workspace& object,
                                                  Observed& observed) const {
    const std::string prefix = object.meta.name + ".";
    observed.installs =
        TRY(objects_.list<PluginInstall>(object.meta.ns, [&](const crds::Meta& meta) {
            const std::string labelled = meta.label(crds::label::workspace);
            return labelled == object.meta.name ||
                   (labelled.empty() && meta.name.starts_with(prefix));
        }));
    std::erase_if(observed.installs,
                  [&](const PluginInstall& install) { return !belongs(install, object); });
    for (const std::string& name : object.spec.plugins) {
        const auto plugin = TRY(objects_.find<Plugin>(object.meta.ns, name));
        observed.plugins.push_back(wanted(name, plugin));
    }
    return {};
}

Result<void> WorkspaceReconciler::observe_desired(const Workspace& object,
                                                  Observed& observed) const {
    drivers::Runtime* const runtime = runtime_of(runtimes_, observed.backend);
    if (!runtime) return {};
    workspace::Place place;
    place.can = runtime->capabilities();
    observed.networks = place.can.networks;
    place.network = runtimes_.network;
    place.plugin_mounts = runtimes_.folders.mounts(*runtime, object.meta.uid);
    place.agent_program = runtimes_.agent_program;
    if (const auto image = runtimes_.images.find(object.spec.runtime);
        image != runtimes_.images.end()) {
        place.image = image->second;
    }
    // On a machine that many agents share, none may claim the one port.
    const workspace::PlatformValues platform{runtimes_.platform_url, place.can.images ? "" : "0"};
    // Asked before the values are read: those that are read are then no older than this says.
    const std::string own_env = env_secret_name(object.meta.name);
    if (const auto secret = TRY(objects_.secret(object.meta.ns, own_env))) {
        observed.env_is_late = workspace::awaits_env(object, secret->meta.revision);
    }
    const auto env = workspace::resolve_env(object, TRY(read_sources(objects_, object)), platform);
    observed.missing = env.missing;
    auto desired = workspace::translate(object, env.values, place);
    const auto holder = older_holder(objects_, object);
    if (holder) {
        observed.refused =
            Error{Code::invalid, "the volumes that " + std::string(crds::annotation::volumes_of) +
                                     " names are those of the Workspace " + *holder +
                                     "; make this one without that annotation"};
    } else if (desired) {
        observed.desired = std::move(*desired);
    } else {
        observed.refused = std::move(desired).error();
    }
    return {};
}

// A runtime that shared our file system when the unit was made and seems not to now: more likely
// its probe got no answer than that it moved, and units that run are not replaced for a guess.
void WorkspaceReconciler::observe_mount(const Workspace& object, Observed& observed) const {
    const drivers::Unit* unit = workspace::own_unit(object, observed);
    if (!unit || !observed.desired || observed.desired->mounted) return;
    const auto label = unit->labels.find(std::string(unit_label::delivery));
    if (label == unit->labels.end() || label->second != "mount") return;
    observed.place = Observed::Place::unknown;
    observed.problem =
        "whether \"" + observed.backend +
        "\" shares this server's file system is not known just now; if it never will "
        "again, remove the unit " +
        unit->name + " there";
}

Result<void> WorkspaceReconciler::observe_leftovers(const Workspace& object,
                                                    Observed& observed) const {
    if (observed.place == Observed::Place::unknown) return {};
    const std::string uid = crds::volumes_uid(object.meta);
    auto volumes = find_volumes(runtimes_, uid);
    if (!volumes) {
        observed.place = Observed::Place::unknown;
        observed.problem = volumes.error().message;
        return {};
    }
    observed.volumes = *std::move(volumes);
    for (const VolumesHolder& holder : holders_of_volumes(objects_, uid, object.meta.uid)) {
        if (!holder.being_deleted) observed.volumes_held_by = holder.name;
    }
    // Of an Org's own, the Org says where in the tree they are.
    const auto unowned = TRY(objects_.list<Workspace>(object.meta.ns, [](const crds::Meta& meta) {
        return !meta.controller() && !meta.deleted_at;
    }));
    for (const Workspace& other : unowned) {
        if (other.spec.parent == object.meta.name) observed.children.push_back(other.meta.name);
    }
    observed.has_folder = TRY(runtimes_.folders.exists(object.meta.uid));
    observed.last_of_server = workspace::is_last_of_server(objects_, object.meta.uid);
    return {};
}

Result<Observed> WorkspaceReconciler::observe(const Workspace& object) const {
    Observed observed;
    observed.backend = backend_of(object.spec, runtimes_);
    observed.place = Observed::Place::here;
    if (observed.backend == external_backend) {
        observed.place = Observed::Place::external;
    } else if (!runtime_of(runtimes_, observed.backend)) {
        observed.place = Observed::Place::missing;
        observed.problem = "this server has no runtime \"" + observed.backend +
                           "\"; start it with one, or set spec.backend";
    }
    const std::string& was = object.status.backend;
    if (!was.empty() && was != external_backend && !runtime_of(runtimes_, was) &&
        (object.being_deleted() || was != observed.backend) && !object.status.container.empty()) {
        // What runs there can neither be seen nor stopped: nothing may be done behind its back.
        observed.place = Observed::Place::unknown;
        observed.problem = "it was run by \"" + was + "\", which this server does not have now";
    }
    observe_units(object, observed);
    TRY(observe_plugins(object, observed));
    if (object.being_deleted()) {
        TRY(observe_leftovers(object, observed));
    } else {
        TRY(observe_desired(object, observed));
        observe_mount(object, observed);
    }
    return observed;
}

void WorkspaceReconciler::record_events(const Workspace& object, const crds::WorkspaceStatus& next,
                                        const Plan& plan, bool acted, Instant now) {
    const auto event = [&](crds::EventType type, std::string_view reason,
                           const std::string& message) {
        objects_.event(object, type, reason, message, now);
    };
    const std::string unit = unit_name(object.meta.uid);
    bool made = false;
    for (const workspace::Action& action : plan.actions) {
        if (!acted) break;
        if (const auto* create = std::get_if<workspace::Create>(&action)) {
            made = true;
            if (create->attempt > 0) {
                event(crds::EventType::warning, "Crashed",
                      unit + " ended by itself with " + create->reason);
            }
            event(crds::EventType::normal, create->restarts > 0 ? "Restarted" : "Started",
                  unit + " was started: " + create->reason);
        } else if (const auto* install = std::get_if<workspace::CreateInstall>(&action)) {
            event(crds::EventType::normal, "PluginInstallCreated",
                  "plugin " + install->plugin + " is to be installed");
        }
    }
    for (const workspace::Action& action : plan.actions) {
        if (!acted || made) break;
        if (std::holds_alternative<workspace::RemoveUnit>(action)) {
            event(crds::EventType::normal, "Removed", unit + " was stopped and removed");
        }
    }
    for (const std::string_view type :
         {workspace::condition::provisioned, workspace::condition::healthy}) {
        const crds::Condition* before = object.status.find(type);
        const crds::Condition* after = next.find(type);
        const bool worse =
            after && (after->reason == "ImageMissing" || after->reason == "Failed" ||
                      after->reason == "Invalid" || after->reason == "CrashLoop" ||
                      after->reason == "SecretsMissing" || after->reason == "BackendMissing" ||
                      (after->reason == unreachable && type == workspace::condition::provisioned));
        if (worse && (!before || before->reason != after->reason)) {
            event(crds::EventType::warning, after->reason, after->message);
        }
    }
    const crds::Condition* before = object.status.find(workspace::condition::provisioned);
    const crds::Condition* after = next.find(workspace::condition::provisioned);
    if (before && before->reason == unreachable && after && after->reason != unreachable) {
        event(crds::EventType::normal, "RuntimeReachable", "the runtime answers again");
    }
}

// The last that is heard of it.
void WorkspaceReconciler::record_end(const Workspace& object, const Plan& plan, Instant now) {
    std::string volumes = "it had no volumes";
    for (const workspace::Action& action : plan.actions) {
        if (const auto* keep = std::get_if<workspace::KeepVolumes>(&action)) {
            volumes = "its volumes are kept until " + rfc3339(keep->until) +
                      ": to bring it back, atelier undelete " + object.meta.name;
        } else if (std::holds_alternative<workspace::RemoveVolume>(action)) {
            volumes = "its volumes are removed";
        }
    }
    objects_.event(object, crds::EventType::normal, "Deleted", "it is gone; " + volumes, now);
}

// There is no such Workspace: a unit that says it is of one was left behind, when the object was
// forced away or the database was lost. It is stopped; its volumes, which hold work, stay.
Result<void> WorkspaceReconciler::reap(const Key& key) {
    for (const auto& [backend, runtime] : runtimes_.by_backend) {
        const auto units = TRY(runtime->list(labels_of_name(runtimes_, key.ns, key.name)));
        for (const drivers::Unit& unit : units) {
            log_.warning("removing a unit without a workspace",
                         {{"workspace", key.ns + "/" + key.name}, {"unit", unit.name}});
            if (unit.state != drivers::Unit::State::exited) {
                TRY(runtime->stop(unit.id, std::chrono::seconds(10)));
            }
            TRY(runtime->remove(unit.id));
        }
    }
    return {};
}

Result<Outcome> WorkspaceReconciler::reconcile(const Key& key, Instant now) {
    auto found = TRY(objects_.find<Workspace>(key.ns, key.name));
    if (!found) {
        TRY(reap(key));
        return Outcome{};
    }
    Workspace object = std::move(*found);
    if (object.being_deleted() && !object.meta.has_finalizer(finalizer)) return Outcome{};
    if (!object.being_deleted()) {
        object = TRY(objects_.add_finalizer(std::move(object), finalizer, now));
    }
    Observed observed = TRY(observe(object));
    const Plan plan = workspace::plan(object, observed, now);
    const Result<void> acted =
        workspace::Executor(objects_, runtimes_, object, observed, now).execute(plan, finalizer);
    if (!plan.actions.empty()) {
        log_.info(acted ? "acted" : "could not act",
                  {{"workspace", key.ns + "/" + key.name}, {"plan", workspace::text(plan)}});
        const bool released = std::holds_alternative<workspace::Release>(plan.actions.back());
        if (released && acted) {
            record_end(object, plan, now);
            return Outcome{};
        }
        observed = TRY(observe(object));
    }
    const std::optional<Error> failure = acted ? std::nullopt : std::optional<Error>(acted.error());
    const auto status = workspace::report(object, observed, plan, failure, now);
    TRY(objects_.report(object, status, now));
    record_events(object, status, plan, acted.operator bool(), now);

    const crds::Condition* provisioned = status.find(workspace::condition::provisioned);
    if (!acted) {
        if (provisioned && provisioned->reason == "ImageMissing") {
            return Outcome{.wake_at = now + image_retry};
        }
        return acted.error();
    }
    if (observed.place == Observed::Place::unknown)
        return Error{Code::unavailable, observed.problem};
    // What was made may have died while we looked.
    const Plan next = workspace::plan(object, observed, now);
    if (next.wake_at) return Outcome{.wake_at = next.wake_at};
    return Outcome{.wake_at = plan.wake_at};
}

}  // namespace atelier::reconcilers
