// What a DeletedWorkspace reconciler is about to do. Pure.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "crds/deleted_workspace.h"
#include "reconcilers/deleted_workspace/observed.h"

namespace atelier::reconcilers::deleted_workspace {

// Creates the Workspace again. No Org owns it.
struct Restore {
    crds::Meta meta;
    crds::WorkspaceSpec spec;
};
// Gives the workspace the Secret back that the environment of its template was in.
struct GiveEnv {
    std::string workspace;
};
struct RemoveVolume {
    std::string backend;
    std::string name;
};
struct LetGo {};  // takes the finalizer off: the volumes stay
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

// The name that the Workspace is created again under.
std::string name_of_restored(const crds::DeletedWorkspaceSpec& spec);

}  // namespace atelier::reconcilers::deleted_workspace
