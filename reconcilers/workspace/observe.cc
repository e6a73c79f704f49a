#include "reconcilers/workspace/observe.h"

#include <algorithm>
#include <set>

#include "base/text.h"
#include "crds/plugin.h"
#include "reconcilers/common/installs.h"
#include "reconcilers/common/kept_volumes.h"
#include "reconcilers/environment/workspace_env.h"

namespace atelier::reconcilers::workspace {
namespace {

using crds::Plugin;
using crds::Workspace;

std::string no_answer(const std::string& backend, const Error& error) {
    return "the runtime \"" + backend + "\" does not answer: " + error.message;
}

// What runs in a runtime that this server does not have can neither be seen nor stopped: nothing
// may be done behind its back.
std::string lost_backend(const Workspace& object, const std::string& backend,
                         const Runtimes& runtimes) {
    const std::string& was = object.status.backend;
    const bool matters = object.being_deleted() || was != backend;
    if (was.empty() || was == external_backend || runtime_of(runtimes, was) || !matters ||
        object.status.container.empty()) {
        return {};
    }
    return "its unit was last in the runtime \"" + was +
           "\", which this server does not have now; start the server with that runtime";
}

struct Units {
    std::vector<Found> found;
    std::string problem;  // a runtime did not answer
};

// In the runtime where the unit is to be and in the one where it was. When the workspace is being
// deleted, in those where something of it was ever made.
Units units_of(const Workspace& object, const std::string& backend, const Runtimes& runtimes) {
    Units units;
    std::set<std::string> asked = {backend, object.status.backend};
    if (object.being_deleted()) asked = backends_of(object, runtimes);
    for (const auto& [name, runtime] : runtimes.by_backend) {
        if (!asked.contains(name)) continue;
        const auto listed =
            runtime->list(labels_of_name(runtimes, object.meta.ns, object.meta.name));
        if (!listed) return {{}, no_answer(name, listed.error())};
        for (const drivers::Unit& unit : *listed) units.found.push_back({name, unit});
    }
    return units;
}

WantedPlugin wanted(const std::string& name, const std::optional<Plugin>& plugin) {
    WantedPlugin out{name, WantedPlugin::State::missing, "", {}};
    if (!plugin || plugin->being_deleted()) return out;
    if (plugin->status.approved) {
        out.state = WantedPlugin::State::resolved;
        out.version = *plugin->status.approved;
        out.skills = plugin->status.capabilities.skills;
        return out;
    }
    const crds::Condition* stalled = plugin->status.find(crds::condition::stalled);
    const bool failing = stalled && stalled->status == crds::ConditionStatus::yes;
    out.state = failing ? WantedPlugin::State::failing : WantedPlugin::State::unresolved;
    if (failing) out.problem = stalled->message;
    return out;
}

Result<std::vector<WantedPlugin>> plugins_of(const Workspace& object, const Objects& objects) {
    std::vector<WantedPlugin> plugins;
    for (const std::string& name : object.spec.plugins) {
        const auto plugin = TRY(objects.find<Plugin>(object.meta.ns, name));
        plugins.push_back(wanted(name, plugin));
    }
    return plugins;
}

Result<Sources> read_sources(const Objects& objects, const Workspace& object) {
    Sources sources;
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

// Two workspaces that write into the same volumes would damage what is there. The volumes belong to
// the workspace that they are named after, or else to the one whose uid comes first.
std::optional<std::string> older_holder(const Objects& objects, const Workspace& object) {
    if (object.meta.annotation(crds::annotation::volumes_of).empty()) return std::nullopt;
    const std::string uid = crds::volumes_uid(object.meta);
    for (const VolumesHolder& other : holders_of_volumes(objects, uid, object.meta.uid)) {
        if (other.uid == uid || other.uid < object.meta.uid) return other.name;
    }
    return std::nullopt;
}

Place place_of(const Workspace& object, drivers::Runtime& runtime, const Runtimes& runtimes) {
    Place place;
    place.can = runtime.capabilities();
    place.network = runtimes.network;
    place.plugin_mounts = runtimes.folders.mounts(runtime, object.meta.uid);
    place.agent_program = runtimes.agent_program;
    place.hash_key = runtimes.hash_key;
    const auto image = runtimes.images.find(object.spec.runtime);
    if (image != runtimes.images.end()) place.image = image->second;
    return place;
}

Result<Desired> desired_of(const Workspace& object, const Values& env, const Place& place,
                           const Objects& objects) {
    if (const auto holder = older_holder(objects, object)) {
        return Error{Code::invalid, "the volumes that the annotation " +
                                        std::string(crds::annotation::volumes_of) +
                                        " names belong to Workspace " + *holder +
                                        "; create this one without the annotation"};
    }
    return translate(object, env, place);
}

// What the unit is to be, and what it waits for.
Result<void> observe_declared(const Workspace& object, const Objects& objects,
                              const Runtimes& runtimes, Observed& observed) {
    drivers::Runtime* const runtime = runtime_of(runtimes, observed.backend);
    if (!runtime) return {};
    const Place place = place_of(object, *runtime, runtimes);
    observed.networks = place.can.networks;
    // Read before the values: those that are read after it are no older than this says.
    const std::string own_env = env_secret_name(object.meta.name);
    if (const auto secret = TRY(objects.secret(object.meta.ns, own_env))) {
        observed.env_is_late = awaits_env(object, secret->meta.revision);
    }
    // On a machine that many agents share, none may claim the one port.
    const PlatformValues platform{runtimes.platform_url, place.can.images ? "" : "0"};
    Env env = resolve_env(object, TRY(read_sources(objects, object)), platform);
    observed.missing = std::move(env.missing);
    auto desired = desired_of(object, env.values, place, objects);
    if (desired) {
        observed.desired = std::move(*desired);
    } else {
        observed.refused = std::move(desired).error();
    }
    return {};
}

// Empty, unless it is not known whether the runtime shares our file system: its probe had no
// answer, or the runtime shared it when the unit was made and seems not to now. Plugins are
// delivered by other ways then, so nothing is made or replaced for a guess.
std::string doubtful_mount(const Workspace& object, const Observed& observed,
                           const Runtimes& runtimes) {
    drivers::Runtime* const runtime = runtime_of(runtimes, observed.backend);
    if (runtime && !runtime->capabilities().file_system_known) {
        return "whether the runtime \"" + observed.backend +
               "\" shares this server's file system is not known: its probe has had no answer yet";
    }
    const drivers::Unit* unit = own_unit(object, observed);
    if (!unit || !observed.desired || observed.desired->mounted) return {};
    if (label_of(*unit, unit_label::delivery) != "mount") return {};
    return "whether \"" + observed.backend +
           "\" shares this server's file system is not known just now; if it never will "
           "again, remove the unit " +
           unit->name + " there";
}

// What is left once the unit is gone. Returns why the volumes are not known; empty: they are.
Result<std::string> observe_leftovers(const Workspace& object, const Objects& objects,
                                      const Runtimes& runtimes, Observed& observed) {
    const std::string uid = crds::volumes_uid(object.meta);
    auto volumes = find_volumes(runtimes, backends_of(object, runtimes), uid);
    if (!volumes) return volumes.error().message;
    observed.volumes = *std::move(volumes);
    for (const VolumesHolder& holder : holders_of_volumes(objects, uid, object.meta.uid)) {
        if (!holder.being_deleted) observed.volumes_held_by = holder.name;
    }
    // Where those of an Org are in the tree, the Org says.
    const auto unowned = TRY(objects.list<Workspace>(object.meta.ns, [](const crds::Meta& meta) {
        return !meta.controller() && !meta.deleted_at;
    }));
    for (const Workspace& other : unowned) {
        if (other.spec.parent == object.meta.name) observed.children.push_back(other.meta.name);
    }
    observed.has_folder = TRY(runtimes.folders.exists(object.meta.uid));
    observed.last_of_server = is_last_of_server(objects, object.meta.uid);
    return std::string();
}

}  // namespace

bool is_last_of_server(const Objects& objects, const std::string& uid) {
    const auto all = objects.store().list(crds::WorkspaceSpec::resource);
    return std::none_of(all->objects.begin(), all->objects.end(), [&](const auto& other) {
        return other->meta.uid != uid && !other->meta.deleted_at;
    });
}

Result<Observed> observe(const Workspace& object, const Objects& objects,
                         const Runtimes& runtimes) {
    Observed observed;
    observed.backend = backend_of(object.spec, runtimes);
    Units units = units_of(object, observed.backend, runtimes);
    observed.units = std::move(units.found);
    observed.plugins = TRY(plugins_of(object, objects));
    observed.installs = TRY(installs_of_workspace(objects, object.meta.ns, object.meta.name));
    std::string unknown = std::move(units.problem);
    if (unknown.empty()) unknown = lost_backend(object, observed.backend, runtimes);
    if (!object.being_deleted()) {
        TRY(observe_declared(object, objects, runtimes, observed));
        if (unknown.empty()) unknown = doubtful_mount(object, observed, runtimes);
    } else if (unknown.empty()) {
        unknown = TRY(observe_leftovers(object, objects, runtimes, observed));
    }
    if (!unknown.empty()) {
        observed.place = Observed::Place::unknown;
        observed.problem = std::move(unknown);
    } else if (observed.backend == external_backend) {
        observed.place = Observed::Place::external;
    } else if (!runtime_of(runtimes, observed.backend)) {
        observed.place = Observed::Place::missing;
        observed.problem = "this server has no runtime \"" + observed.backend +
                           "\"; start it with one, or set spec.backend";
    } else {
        observed.place = Observed::Place::here;
    }
    return observed;
}

}  // namespace atelier::reconcilers::workspace
