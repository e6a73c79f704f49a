// What is seen of one plugin in one workspace, and what to do about it. Pure.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "crds/plugin_install.h"
#include "drivers/plugins/plugin_folder.h"

namespace atelier::reconcilers::plugin_install {

struct Observed {
    // Whether there is a place to deliver to.
    enum class Place {
        here,         // a plugins folder that we can reach
        gone,         // no such workspace, or it is being deleted with all that it has
        external,     // its agent pulls
        no_backend,   // this server has no such runtime
        not_running,  // it can be reached in a running unit only, and none runs
        unknown       // the place did not answer
    };
    Place place = Place::unknown;
    std::string problem;  // of no_backend and unknown, for people
    std::string delivery;
    drivers::PluginState state;  // with `here`
    // What the agent says it has loaded: a digest, empty when not this plugin. nullopt: nobody
    // reports.
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

struct Restore {};
struct Stage {
    std::string digest;
};
struct Swap {};
struct Remove {};
struct Collect {};
struct Release {};  // takes the finalizer off
using Action = std::variant<Restore, Stage, Swap, Remove, Collect, Release>;

struct Plan {
    std::vector<Action> actions;
    // What the delivery of spec.version.digest changes for the agent. Absent: nothing is delivered,
    // or what was delivered is recorded in status already.
    std::optional<crds::ChangeClass> change;
};

Plan plan(const crds::PluginInstall& install, const Observed& observed);
std::string text(const Action& action);
std::string text(const Plan& plan);  // "restore, stage 1a2b3c4, swap, collect (cold)"

}  // namespace atelier::reconcilers::plugin_install
