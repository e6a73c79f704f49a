// What a Workspace reconciler is about to do. Pure.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "crds/workspace.h"
#include "reconcilers/workspace/observed.h"

namespace atelier::reconcilers::workspace {

struct CreateInstall {
    std::string plugin;
    crds::PluginVersion version;
};
struct DeleteInstall {
    std::string name;
};
// Looked for before anything is stopped, as everything that may be missing.
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
// The unit runs, and is not attached to its network.
struct JoinNetwork {
    std::string unit_id;
};
// Creates the successor under another name and removes it again: what the runtime refuses is known
// before anything is stopped.
struct TryCreate {};
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
// Creates the DeletedWorkspace that records what the workspace was. The volumes are its from then
// on.
struct KeepVolumes {
    Instant until;
    std::vector<std::string> volumes;  // "backend/name"
};
struct DestroyFolder {};
struct RemoveNetwork {};
// Clears spec.parent of these: no Org would do it.
struct LeaveChildren {
    std::vector<std::string> names;
};
struct Release {};  // takes the finalizer off, and the object goes
using Action = std::variant<CreateInstall, DeleteInstall, FindImage, ReadFiles, EnsureNetwork,
                            EnsureVolume, PrepareFolder, JoinNetwork, TryCreate, RemoveFiles, Stop,
                            RemoveUnit, Create, WriteFiles, Start, RemoveVolume, KeepVolumes,
                            DestroyFolder, RemoveNetwork, LeaveChildren, Release>;

struct Plan {
    std::vector<Action> actions;
    std::string waits_for;  // what keeps it from going on, for people; empty: nothing does
    std::optional<Instant> wake_at;
};

// What `waits_for` says while a unit that ended by itself is not started again yet.
inline constexpr std::string_view next_attempt = "the next attempt";

Plan plan(const crds::Workspace& workspace, const Observed& observed, Instant now);
// "exit code 3", or that its memory was used up: how a unit ended by itself.
std::string how_it_ended(const drivers::Unit& unit);
// Whether the unit runs without being attached to the network that it is to have.
bool lacks_network(const Observed& observed, const drivers::Unit& unit);
// Why that unit of the workspace must be replaced by a new one: "image, plugins changed". Empty: it
// is as declared. Requires `observed.desired`.
std::string difference(const Observed& observed, const drivers::Unit& unit);
// Whether an action creates something in the runtime, which deletion must find again.
bool creates(const Plan& plan);
std::string text(const Action& action);
std::string text(const Plan& plan);  // "find image a, …, start ws-1; waits for …"

// How long to wait before the start after `attempt` starts that did not last.
Duration crash_backoff(std::int64_t attempt);
inline constexpr Duration stable_after = std::chrono::minutes(10);
inline constexpr Duration healthy_after_crash = std::chrono::seconds(10);
inline constexpr Duration patience_unresolved = std::chrono::minutes(2);
inline constexpr Duration patience_missing = std::chrono::seconds(10);

}  // namespace atelier::reconcilers::workspace
