#include "reconcilers/plugin_install/observe.h"

#include <algorithm>

#include "base/text.h"
#include "crds/workspace_conditions.h"
#include "reconcilers/common/installs.h"
#include "reconcilers/plugin_install/policy.h"
#include "reconcilers/plugin_install/status.h"

namespace atelier::reconcilers::plugin_install {
namespace {

using crds::Plugin;
using crds::PluginInstall;
using crds::Workspace;

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

std::optional<drivers::Manifest> manifest_of(drivers::TreeStore& trees, const std::string& digest) {
    if (digest.empty()) return std::nullopt;
    auto found = trees.manifest(digest);
    if (!found) return std::nullopt;
    return std::move(*found);
}

bool is_to_run(const Workspace& workspace) {
    return workspace.spec.desired_state == crds::DesiredState::running;
}

// What the agent reports about the plugin. What a unit that was stopped for good once reported is
// not true any more.
std::optional<std::string> loaded_in(const Workspace& workspace, drivers::PluginFolder& folder,
                                     const std::string& plugin) {
    if (!is_to_run(workspace)) return std::nullopt;
    const auto report = folder.agent_status();
    if (!report) return std::nullopt;
    auto loaded = loaded_digest(*report, plugin);
    if (!loaded) return std::nullopt;
    return std::move(*loaded);
}

struct Place {
    Observed::Place place = Observed::Place::here;
    std::string problem;
    std::unique_ptr<drivers::PluginFolder> folder;  // with Place::here
};

// A unit whose plugins folder is mounted must not be written to by exec: the mount is read-only
// there, and the folder of this machine is the one that counts.
std::string doubtful(const std::string& backend) {
    return "whether the runtime \"" + backend +
           "\" shares this server's file system is not known just now";
}

// Where the plugins folder is a folder of this machine it is opened whether or not a unit runs;
// elsewhere a running unit is needed.
Place place_of(const Workspace& workspace, const Runtimes& runtimes) {
    const std::string backend = backend_of(workspace.spec, runtimes);
    if (backend == external_backend) return {Observed::Place::external, "", nullptr};
    drivers::Runtime* const runtime = runtime_of(runtimes, backend);
    if (!runtime) {
        return {Observed::Place::no_backend,
                "this server has no runtime \"" + backend +
                    "\"; start it with one, or set spec.backend of the workspace",
                nullptr};
    }
    if (!runtime->capabilities().file_system_known) {
        return {Observed::Place::unknown, doubtful(backend), nullptr};
    }
    std::string unit_id;
    if (!runtimes.folders.mounted(*runtime)) {
        const auto units = runtime->list(labels_to_find(runtimes, workspace.meta.uid));
        if (!units) return {Observed::Place::unknown, units.error().message, nullptr};
        for (const drivers::Unit& unit : *units) {
            if (unit.state != drivers::Unit::State::running) continue;
            unit_id = unit.id;
            const auto delivery = unit.labels.find(std::string(unit_label::delivery));
            if (delivery != unit.labels.end() && delivery->second == "mount") {
                return {Observed::Place::unknown, doubtful(backend), nullptr};
            }
        }
        if (unit_id.empty()) return {Observed::Place::not_running, "", nullptr};
    }
    return {Observed::Place::here, "",
            runtimes.folders.open(*runtime, workspace.meta.uid, unit_id)};
}

// What is in the plugins folder, and what the agent reports of it.
void read_folder(const PluginInstall& install, const Workspace& workspace,
                 drivers::PluginFolder& folder, Observed& observed) {
    observed.delivery = folder.delivery();
    auto state = folder.observe(install.spec.plugin);
    if (!state) {
        observed.place = Observed::Place::unknown;
        observed.problem = state.error().message;
        return;
    }
    observed.state = std::move(*state);
    observed.loaded = loaded_in(workspace, folder, install.spec.plugin);
}

}  // namespace

Result<Observation> observe(const PluginInstall& install, const Objects& objects,
                            const Runtimes& runtimes) {
    Observation out;
    Observed& observed = out.observed;
    const std::string& ns = install.meta.ns;
    const auto workspace = TRY(objects.find<Workspace>(ns, install.spec.workspace));
    if (!workspace || workspace->being_deleted()) {
        observed.place = Observed::Place::gone;
        return out;
    }
    const auto siblings = TRY(installs_of_workspace(objects, ns, install.spec.workspace));
    const PluginInstall* counts =
        counting_install(siblings, install.spec.workspace, install.spec.plugin);
    if (counts && counts->meta.uid != install.meta.uid) {
        observed.place = Observed::Place::duplicate;
        observed.counts_instead = counts->meta.name;
        return out;
    }
    observed.runtime = workspace->spec.runtime;
    observed.unit_started_at = workspace->status.started_at;
    observed.agent_expected = is_to_run(*workspace) && crds::is_healthy(*workspace);
    const auto plugin = TRY(objects.find<Plugin>(ns, install.spec.plugin));
    observed.inert = plugin && !fits(*plugin, observed.runtime);
    observed.denied_by =
        TRY(policy_that_denies(objects, ns, install.spec.plugin, workspace->spec.org));
    observed.desired = manifest_of(runtimes.trees, install.spec.version.digest);
    observed.recorded = manifest_of(runtimes.trees, install.status.delivered);
    Place place = place_of(*workspace, runtimes);
    observed.place = place.place;
    observed.problem = std::move(place.problem);
    out.folder = std::move(place.folder);
    if (out.folder) read_folder(install, *workspace, *out.folder, observed);
    return out;
}

}  // namespace atelier::reconcilers::plugin_install
