// What is seen of a DeletedWorkspace and what to do about it. Pure.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "crds/deleted_workspace.h"
#include "reconcilers/common/kept_volumes.h"

namespace atelier::reconcilers::deleted_workspace {

struct Observed {
    std::vector<std::string> volumes;       // "backend/name": those that are there
    std::string unreachable;                // why `volumes` is not known; empty: it is
    std::optional<VolumesHolder> holder;    // the Workspace that the volumes are of now
    std::optional<VolumesHolder> in_place;  // another Workspace of the name to come back under
    bool parent_there = false;
    bool env_due = false;  // the holder reads a Secret that is kept here, and has none
};

// The Workspace is made again; it belongs to no Org.
struct Restore {
    crds::Meta meta;
    crds::WorkspaceSpec spec;
};
// The workspace gets back the Secret that its template's environment was in.
struct GiveEnv {
    std::string workspace;
};
struct RemoveVolume {
    std::string backend;
    std::string name;
};
struct LetGo {};  // the finalizer is taken off: what is there stays
struct Delete {
    std::string reason;  // of the event: Restored, Expired
};
using Action = std::variant<Restore, GiveEnv, RemoveVolume, LetGo, Delete>;

struct Plan {
    std::vector<Action> actions;
    std::optional<Instant> wake_at;
};

Plan plan(const crds::DeletedWorkspace& object, const Observed& observed, Instant now);
std::string text(const Action& action);
std::string text(const Plan& plan);  // "restore acme-qa, let go, delete (Restored)"

// The name that it comes back under.
std::string name_of_restored(const crds::DeletedWorkspaceSpec& spec);

crds::DeletedWorkspaceStatus report(const crds::DeletedWorkspace& object, const Observed& observed,
                                    const std::optional<Error>& failure, Instant now);

}  // namespace atelier::reconcilers::deleted_workspace
