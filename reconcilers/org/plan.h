// What an Org is about to do: the difference between the workspaces that it should have and those
// that it has, as a list of actions. Pure.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "crds/org.h"
#include "reconcilers/org/binding.h"
#include "reconcilers/org/desired.h"
#include "reconcilers/org/observe.h"
#include "reconcilers/org/prune.h"

namespace atelier::reconcilers::org {

// Writes the environment Secret of a workspace: before a new workspace is created, but after an
// existing one is updated (environment/workspace_env.h says why).
struct PutEnv {
    std::string workspace;
    templates::EnvMap values;          // secret: text_of() has the names only
    std::vector<std::string> changed;  // names
};
struct CreateWorkspace {
    DesiredWorkspace workspace;
    std::string kept;  // the DeletedWorkspace whose volumes it takes over; empty: it gets new ones
};
struct UpdateWorkspace {
    crds::Workspace next;    // with the revision that was observed
    std::string old_parent;  // when the parent changes
    bool parent_changes = false;
    std::vector<std::string> changed;  // other fields of the spec, "labels", "annotations"
};
struct DeleteWorkspace {
    crds::Workspace workspace;   // exactly this object, by its uid
    Duration volume_grace = {};  // how long its volumes are kept; 0: they are deleted with it
    std::string keep_until;      // RFC 3339: a person's wish, which replaces volume_grace
    std::map<std::string, std::string> annotations;  // written together with the deletion
};
// A workspace that the Org does not own yet becomes its own, with the template's spec.
struct AdoptWorkspace {
    crds::Workspace next;
    std::vector<std::string> changed;  // fields of the spec
};
// The Org stops owning the workspace, on request. Nothing else about the workspace changes.
struct ReleaseWorkspace {
    crds::Workspace workspace;
};
struct RemoveEnv {
    std::string workspace;
};
struct ReleaseOrg {};  // removes the finalizer: nothing is left of a deleted Org
using Action = std::variant<PutEnv, CreateWorkspace, UpdateWorkspace, DeleteWorkspace,
                            AdoptWorkspace, ReleaseWorkspace, RemoveEnv, ReleaseOrg>;

struct Plan {
    std::optional<Hold> hold;  // the Org is bound to a forecast and waits: there are no actions
    // Without `hold`: what the template asks for. nullopt: the Org is suspended or being deleted,
    // or it has no compiled template.
    std::optional<Desired> desired;
    std::vector<Action> actions;  // in the order in which they must be executed
    // Why no action may be executed yet; the controller tries again with backoff.
    std::optional<Error> retry;
    PruneDecision prune;
    std::vector<std::string> conflicts;  // names that exist and that this Org does not own
    std::vector<std::string> problems;   // "acme-pm: why it cannot be created"
    std::vector<std::string> waiting;    // "acme-old is being deleted"
    std::vector<std::string> refused;    // "acme-pm: why it cannot be adopted"
};

Plan plan(const crds::Org& org, const Observed& observed, Instant now);

std::string text_of(const Action& action);
std::string_view verb_of(const Action& action);  // "create", the label of a metric
std::string text_of(const Plan& plan);           // actions first, then what blocks; ", " between

}  // namespace atelier::reconcilers::org
