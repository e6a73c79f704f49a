// What is seen of a Workspace and what to do about it. Pure.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.h"
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
    std::string problem;          // of one that is failing
    crds::PluginVersion version;  // when resolved
};

// A unit, and the backend it is in.
struct Found {
    std::string backend;
    drivers::Unit unit;
};

struct Observed {
    std::string backend;
    enum class Place { here, external, missing, unknown };
    Place place = Place::unknown;
    std::string problem;  // of missing and unknown, for people
    bool networks = false;
    std::vector<Found> units;  // in every runtime, those of this workspace
    std::vector<WantedPlugin> plugins;
    std::vector<crds::PluginInstall> installs;  // of this workspace, whoever made them
    std::vector<std::string> missing;           // Secrets, ConfigMaps and keys that are not there
    bool env_is_late = false;  // its Org is about to write the environment that its spec goes with
    std::optional<Desired> desired;  // absent: it cannot be run as it is, see `refused`
    std::optional<Error> refused;
    // When it is being deleted:
    std::vector<std::string> volumes;   // "backend/name"
    std::string volumes_held_by;        // a Workspace that has taken them over; then they are its
    std::vector<std::string> children;  // Workspaces that name it as their parent, of no Org
    bool has_folder = false;
    bool last_of_server = false;
};

struct CreateInstall {
    std::string plugin;
    crds::PluginVersion version;
};
struct DeleteInstall {
    std::string name;
};
// Everything that can fail for want of something is looked for before anything is stopped.
struct FindImage {
    std::string image;
};
struct ReadFiles {};
struct EnsureNetwork {};
struct EnsureVolume {
    std::string name;
};
struct PrepareFolder {};
struct RemoveFiles {
    Found from;
    std::vector<std::string> paths;  // below /configs
};
struct Stop {
    Found what;
};
struct RemoveUnit {
    Found what;
};
struct Create {
    std::int64_t attempt = 0;   // starts since it last ran well
    std::int64_t restarts = 0;  // starts after the first
    std::string reason;
};
struct WriteFiles {};
struct Start {};
struct RemoveVolume {
    std::string backend;
    std::string name;
};
// What is left of the workspace is recorded, and its volumes are that record's from now on.
struct KeepVolumes {
    Instant until;
    std::vector<std::string> volumes;  // "backend/name"
};
struct DestroyFolder {};
struct RemoveNetwork {};
// Nobody else would see to it that they have no parent any more.
struct LeaveChildren {
    std::vector<std::string> names;
};
struct Release {};
using Action =
    std::variant<CreateInstall, DeleteInstall, FindImage, ReadFiles, EnsureNetwork, EnsureVolume,
                 PrepareFolder, RemoveFiles, Stop, RemoveUnit, Create, WriteFiles, Start,
                 RemoveVolume, KeepVolumes, DestroyFolder, RemoveNetwork, LeaveChildren, Release>;

struct Plan {
    std::vector<Action> actions;
    std::string waits_for;  // what keeps it from going on, for people; empty: nothing does
    std::optional<Instant> wake_at;
};

Plan plan(const crds::Workspace& workspace, const Observed& observed, Instant now);
// Why that unit, its own, must be replaced by one that is made anew: "image, plugins changed".
// Empty: it is as it should be. `seen.desired` is there.
std::string difference(const Observed& observed, const drivers::Unit& unit);
std::string text(const Action& action);
std::string text(const Plan& plan);  // "find image a, …, start ws-1; waits for …"

// The unit of this workspace where it should be, or nullptr.
const drivers::Unit* own_unit(const crds::Workspace& workspace, const Observed& observed);
std::int64_t attempt_of(const drivers::Unit& unit);
std::int64_t restarts_of(const drivers::Unit& unit);
std::optional<Instant> created_at(const drivers::Unit& unit);
// How long to wait before the start after `attempt` starts that did not last.
Duration crash_backoff(std::int64_t attempt);
inline constexpr Duration stable_after = std::chrono::minutes(10);
inline constexpr Duration healthy_after_crash = std::chrono::seconds(10);
inline constexpr Duration patience_unresolved = std::chrono::minutes(2);
inline constexpr Duration patience_missing = std::chrono::seconds(10);

}  // namespace atelier::reconcilers::workspace
