// What a Workspace is reconciled against: its unit, plugins and environment as they are. A value:
// everything after observing is pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "crds/plugin_install.h"
#include "crds/workspace.h"
#include "drivers/runtime.h"
#include "reconcilers/workspace/unit.h"

namespace atelier::reconcilers::workspace {

// A plugin that the spec names.
struct WantedPlugin {
    enum class State { resolved, unresolved, failing, missing };
    std::string name;
    State state = State::missing;
    std::string problem;          // the message of its Stalled condition, when it is failing
    crds::PluginVersion version;  // when resolved
    std::vector<std::string> skills = {};  // names of the skills of that version
};

// A unit, and the backend it is in.
struct Found {
    std::string backend;
    drivers::Unit unit;
};

struct Observed {
    std::string backend;  // where the unit is to run: the spec's, or the server's default
    enum class Place {
        here,      // a runtime of this server
        external,  // the agent runs elsewhere
        missing,   // this server has no such runtime
        unknown    // a runtime that matters did not answer: nothing may be concluded from absence
    };
    Place place = Place::unknown;
    std::string problem;       // of missing and unknown, for people
    bool networks = false;     // the runtime has networks
    std::vector<Found> units;  // of this workspace, in every runtime that was asked
    std::vector<WantedPlugin> plugins;
    std::vector<crds::PluginInstall> installs;  // of this workspace, whoever made them
    std::vector<std::string> missing;  // Secrets, ConfigMaps and keys that do not exist, for people
    bool env_is_late = false;  // the Org is about to write the environment that goes with the spec
    std::optional<Desired> desired;  // absent: the workspace cannot be run as it is, see `refused`
    std::optional<Error> refused;

    // Only while the workspace is being deleted:
    std::vector<std::string> volumes;   // "backend/name"
    std::string volumes_held_by;        // a Workspace that has taken the volumes over; empty: none
    std::vector<std::string> children;  // Workspaces of no Org that name this one as their parent
    bool has_folder = false;            // its plugins folder is on this machine
    bool last_of_server = false;        // no other Workspace stays, so the network goes too
};

// The unit of this workspace in the runtime where it is to be, or nullptr. `observed` owns it.
const drivers::Unit* own_unit(const crds::Workspace& workspace, const Observed& observed);
// The PluginInstall that counts for that plugin, or nullptr. `observed` owns it.
const crds::PluginInstall* install_of(const Observed& observed, const std::string& plugin);

// What the labels of a unit say; 0 and nullopt when they say nothing.
std::string label_of(const drivers::Unit& unit, std::string_view name);
std::int64_t attempt_of(const drivers::Unit& unit);   // starts in a row that did not last
std::int64_t restarts_of(const drivers::Unit& unit);  // starts after the first
std::optional<Instant> created_at(const drivers::Unit& unit);

}  // namespace atelier::reconcilers::workspace
