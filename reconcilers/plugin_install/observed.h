// What a PluginInstall is reconciled against. A value: everything after observing is pure.
#pragma once

#include <optional>
#include <string>

#include "base/clock.h"
#include "drivers/plugins/plugin_folder.h"
#include "drivers/trees/tree.h"

namespace atelier::reconcilers::plugin_install {

struct Observed {
    // Whether there is a place to deliver to.
    enum class Place {
        here,         // a plugins folder that we can reach
        gone,         // no such workspace, or it is being deleted with all that it has
        duplicate,    // another PluginInstall counts for this workspace and plugin
        external,     // its agent pulls
        no_backend,   // this server has no such runtime
        not_running,  // it can be reached in a running unit only, and none runs
        unknown       // the place did not answer
    };
    Place place = Place::unknown;
    std::string problem;         // of no_backend and unknown, for people
    std::string counts_instead;  // with `duplicate`: the name of the install that counts
    std::string delivery;        // "mount" or "exec"; empty where there is no place
    drivers::PluginState state;  // with `here`
    // The digest that the agent reports as loaded; empty when it does not name this plugin.
    // nullopt: no agent reports.
    std::optional<std::string> loaded;
    bool agent_expected = false;             // a unit runs
    std::optional<Instant> unit_started_at;  // as far as it is known
    std::string denied_by;                   // a PluginPolicy's name; empty: allowed
    bool inert = false;                      // the plugin is not for the workspace's runtime
    std::string runtime;                     // of the workspace
    // Manifests from the tree store; nullopt: it does not have that tree.
    std::optional<drivers::Manifest> desired;   // of spec.version.digest
    std::optional<drivers::Manifest> recorded;  // of status.delivered
};

}  // namespace atelier::reconcilers::plugin_install
