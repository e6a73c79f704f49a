#include "reconcilers/plugin_install/reconciler.h"

#include <algorithm>

#include "base/text.h"
#include "crds/plugin_policy.h"
#include "reconcilers/plugin_install/policy.h"
#include "reconcilers/plugin_install/report.h"

namespace atelier::reconcilers {
namespace {

using crds::Plugin;
using crds::PluginInstall;
using crds::Workspace;
using plugin_install::Observed;
using plugin_install::Plan;

// Runtimes are written "claude-code" and "claude_code"; both are one.
std::string normal(std::string_view runtime) {
    std::string out = lower(runtime);
    std::replace(out.begin(), out.end(), '_', '-');
    return out;
}

bool fits(const Plugin& plugin, const std::string& runtime) {
    const auto& runtimes = plugin.status.capabilities.runtimes;
    return runtimes.empty() || std::any_of(runtimes.begin(), runtimes.end(), [&](const auto& one) {
               return normal(one) == normal(runtime);
           });
}

}  // namespace

void PluginInstallReconciler::read_folder(const PluginInstall& install, Reading& reading) const {
    Observed& observed = reading.observed;
    auto state = reading.folder->observe(install.spec.plugin);
    if (!state) {
        observed.place = Observed::Place::unknown;
        observed.problem = state.error().message;
        return;
    }
    observed.place = Observed::Place::here;
    observed.state = std::move(*state);
    // What a unit that was stopped for good once said is not true any more.
    if (!reading.running_wanted) return;
    const auto status = reading.folder->agent_status();
    if (!status) return;
    auto loaded = plugin_install::loaded_digest(*status, install.spec.plugin);
    if (loaded) observed.loaded = std::move(*loaded);
}

Result<void> PluginInstallReconciler::look_inside(const PluginInstall& install,
                                                  const Workspace& workspace,
                                                  Reading& reading) const {
    Observed& observed = reading.observed;
    const std::string backend = backend_of(workspace.spec, runtimes_);
    if (backend == external_backend) {
        observed.place = Observed::Place::external;
        return {};
    }
    drivers::Runtime* const runtime = runtime_of(runtimes_, backend);
    if (!runtime) {
        observed.place = Observed::Place::no_backend;
        observed.problem = "this server has no runtime \"" + backend + "\"";
        return {};
    }
    reading.running_wanted = workspace.spec.desired_state == crds::DesiredState::running;
    observed.unit_started_at = workspace.status.started_at;
    observed.agent_expected = reading.running_wanted && workspace.status.is_true("Healthy");
    std::string unit_id;
    if (!runtimes_.folders.mounted(*runtime)) {
        const auto units = runtime->list(labels_to_find(runtimes_, workspace.meta.uid));
        if (!units) {
            observed.place = Observed::Place::unknown;
            observed.problem = units.error().message;
            return {};
        }
        for (const drivers::Unit& unit : *units) {
            if (unit.state == drivers::Unit::State::running) unit_id = unit.id;
        }
        if (unit_id.empty()) {
            observed.place = Observed::Place::not_running;
            return {};
        }
    }
    reading.folder = runtimes_.folders.open(*runtime, workspace.meta.uid, unit_id);
    observed.delivery = reading.folder->delivery();
    read_folder(install, reading);
    return {};
}

Result<PluginInstallReconciler::Reading> PluginInstallReconciler::observe(
    const PluginInstall& install) const {
    Reading reading;
    Observed& observed = reading.observed;
    const auto workspace = TRY(objects_.find<Workspace>(install.meta.ns, install.spec.workspace));
    if (!workspace || workspace->being_deleted()) {
        observed.place = Observed::Place::gone;
        return reading;
    }
    observed.runtime = workspace->spec.runtime;
    const auto plugin = TRY(objects_.find<Plugin>(install.meta.ns, install.spec.plugin));
    observed.inert = plugin && !fits(*plugin, observed.runtime);
    observed.denied_by = TRY(
        policy_that_denies(objects_, install.meta.ns, install.spec.plugin, workspace->spec.org));
    TRY(look_inside(install, *workspace, reading));

    const auto manifest = [&](const std::string& digest) -> std::optional<drivers::Manifest> {
        if (digest.empty()) return std::nullopt;
        auto found = runtimes_.trees.manifest(digest);
        if (!found) return std::nullopt;
        return std::move(*found);
    };
    observed.desired = manifest(install.spec.version.digest);
    observed.recorded = manifest(install.status.delivered);
    return reading;
}

Result<void> PluginInstallReconciler::execute(const PluginInstall& install, const Plan& plan,
                                              drivers::PluginFolder* folder, Instant now) {
    const std::string& plugin = install.spec.plugin;
    const std::string stamp = new_stamp(now, runtimes_.random);
    for (const plugin_install::Action& action : plan.actions) {
        if (std::holds_alternative<plugin_install::Release>(action)) {
            TRY(objects_.release(install, finalizer, now));
            return {};
        }
        CHECK(folder != nullptr);
        if (const auto* stage = std::get_if<plugin_install::Stage>(&action)) {
            const drivers::TreePtr tree = TRY(runtimes_.trees.get(stage->digest));
            TRY(folder->stage(plugin, stamp, *tree));
        } else if (std::holds_alternative<plugin_install::Swap>(action)) {
            TRY(folder->swap(plugin, stamp));
        } else if (std::holds_alternative<plugin_install::Remove>(action)) {
            TRY(folder->remove(plugin, stamp));
        } else if (std::holds_alternative<plugin_install::Collect>(action)) {
            TRY(folder->collect(plugin));
        } else if (std::holds_alternative<plugin_install::Restore>(action)) {
            const auto restored = folder->restore(plugin);
            if (!restored && restored.error().code != Code::not_found) return restored.error();
        }
    }
    return {};
}

// Events record_events what changed, from the old status to the new one.
void PluginInstallReconciler::record_events(const PluginInstall& install,
                                            const crds::PluginInstallStatus& next, const Plan& plan,
                                            Instant now) {
    const crds::PluginInstallStatus& last = install.status;
    if (next.delivered == next.desired && !next.delivered.empty() &&
        last.delivered != next.delivered) {
        const std::string change(next.last_change ? lower(json::name_of(*next.last_change))
                                                  : std::string("cold"));
        runtimes_.metrics
            .counter("atelier_plugin_installs_total", "Deliveries of plugins into workspaces.",
                     {{"class", change}, {"delivery", next.delivery}})
            .add();
        objects_.event(install, crds::EventType::normal, "Delivered",
                       "delivered " + install.spec.plugin + " " + next.delivered.substr(0, 7) +
                           " to " + install.spec.workspace + " (" + change + ", by " +
                           next.delivery + ")",
                       now);
    }
    if (next.loaded != last.loaded && !next.loaded.empty()) {
        objects_.event(install, crds::EventType::normal, "Loaded",
                       "the agent of " + install.spec.workspace + " has loaded " +
                           install.spec.plugin + " " + next.loaded.substr(0, 7),
                       now);
    }
    const crds::Condition* before = last.find(plugin_install::condition::delivered);
    const crds::Condition* after = next.find(plugin_install::condition::delivered);
    if (after && after->status == crds::ConditionStatus::no &&
        (!before || before->reason != after->reason)) {
        const bool waits = after->reason.starts_with("Waiting") || after->reason == "Delivering";
        objects_.event(install, waits ? crds::EventType::normal : crds::EventType::warning,
                       after->reason, after->message, now);
    }
    if (!plan.actions.empty()) {
        log_.info("acted", {{"install", install.meta.ns + "/" + install.meta.name},
                            {"plan", plugin_install::text(plan)}});
    }
}

Result<Outcome> PluginInstallReconciler::reconcile(const Key& key, Instant now) {
    auto found = TRY(objects_.find<PluginInstall>(key.ns, key.name));
    if (!found) return Outcome{};
    PluginInstall install = std::move(*found);
    if (install.being_deleted() && !install.meta.has_finalizer(finalizer)) return Outcome{};
    if (!install.being_deleted()) {
        install = TRY(objects_.add_finalizer(std::move(install), finalizer, now));
    }
    Reading reading = TRY(observe(install));
    const Plan plan = plugin_install::plan(install, reading.observed);
    const Result<void> acted = execute(install, plan, reading.folder.get(), now);
    const bool released = !plan.actions.empty() &&
                          std::holds_alternative<plugin_install::Release>(plan.actions.back());
    if (released && acted) return Outcome{};

    if (!plan.actions.empty() && reading.folder) read_folder(install, reading);
    const std::optional<Error> failure = acted ? std::nullopt : std::optional<Error>(acted.error());
    const auto status = plugin_install::report(install, reading.observed, plan, failure, now);
    if (TRY(objects_.report(install, status, now))) record_events(install, status, plan, now);
    if (!acted) return acted.error();
    if (reading.observed.place == Observed::Place::unknown) {
        return Error{Code::unavailable, reading.observed.problem};
    }
    return Outcome{plugin_install::next_look(install, reading.observed, status, now)};
}

// --- who else wakes us

namespace {

template <class Wanted>
std::vector<Key> installs(const store::Store& store, const std::string& ns, Wanted wanted) {
    std::vector<Key> keys;
    const auto snapshot = store.list(crds::PluginInstallSpec::resource);
    for (const auto& object : snapshot->objects) {
        if (object->key.ns == ns && wanted(*object)) keys.push_back(object->key);
    }
    return keys;
}

// Installs made by hand may lack the labels: those are decoded.
bool names(const store::Object& object, std::string_view label,
           std::string crds::PluginInstallSpec::*member, const std::string& value) {
    const std::string labelled = object.meta.label(label);
    if (!labelled.empty()) return labelled == value;
    const auto install = crds::decode<PluginInstall>(object.body);
    return install && install->spec.*member == value;
}

// A part of two states of one object, as JSON text.
bool differs(const store::Event& event, std::initializer_list<std::string_view> path) {
    if (!event.previous) return true;
    const auto before = json::parse(event.previous->body);
    const auto after = json::parse(event.object->body);
    if (!before || !after) return true;
    const json::Value* old_part = json::find(*before, path);
    const json::Value* new_part = json::find(*after, path);
    if (!old_part || !new_part) return old_part != new_part;
    return *old_part != *new_part;
}

std::vector<Key> of_workspace(const store::Event& event, const store::Store& store) {
    const crds::Meta& meta = event.object->meta;
    const bool spec_changed = event.change != store::Change::modified || !event.previous ||
                              event.previous->meta.generation != meta.generation ||
                              event.previous->meta.deleted_at != meta.deleted_at;
    if (!spec_changed && !differs(event, {"status", "startedAt"}) &&
        !differs(event, {"status", "container"})) {
        return {};
    }
    return installs(store, meta.ns, [&](const store::Object& object) {
        return names(object, crds::label::workspace, &crds::PluginInstallSpec::workspace,
                     meta.name);
    });
}

std::vector<Key> of_plugin(const store::Event& event, const store::Store& store) {
    if (event.change == store::Change::modified && !differs(event, {"status", "approved"}) &&
        !differs(event, {"status", "capabilities"}) && !differs(event, {"status", "conditions"})) {
        return {};
    }
    return installs(store, event.object->meta.ns, [&](const store::Object& object) {
        return names(object, crds::label::plugin, &crds::PluginInstallSpec::plugin,
                     event.object->meta.name);
    });
}

std::vector<Key> of_policy(const store::Event& event, const store::Store& store) {
    if (event.change == store::Change::modified && event.previous &&
        event.previous->meta.generation == event.object->meta.generation) {
        return {};
    }
    return installs(store, event.object->meta.ns, [](const store::Object&) { return true; });
}

}  // namespace

std::vector<Interest> PluginInstallReconciler::interests() const {
    return {{std::string(crds::WorkspaceSpec::resource), of_workspace},
            {std::string(crds::PluginSpec::resource), of_plugin},
            {std::string(crds::PluginPolicySpec::resource), of_policy}};
}

}  // namespace atelier::reconcilers
