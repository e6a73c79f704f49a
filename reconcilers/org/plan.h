// What to do about an Org: the difference between the workspaces it should have and those it has.
// Pure.
#pragma once

#include <set>
#include <string>
#include <variant>
#include <vector>

#include "crds/org.h"
#include "reconcilers/org/desired.h"
#include "reconcilers/org/observed.h"
#include "reconcilers/org/prune.h"

namespace atelier::reconcilers {

// Comes before the workspace that reads it when that is new, else after (workspace_env.h).
struct PutEnv {
    std::string workspace;
    templates::EnvMap values;  // secret: the text form has names only
    std::vector<std::string> changed;
};
struct CreateWorkspace {
    DesiredWorkspace workspace;
    std::string kept;  // the DeletedWorkspace whose volumes it takes over; empty: it gets new ones
};
struct UpdateWorkspace {
    crds::Workspace next;    // with the revision that was seen
    std::string old_parent;  // when the parent changes
    bool parent_changes = false;
    std::vector<std::string> changed;  // other fields of the spec, "labels", "annotations"
};
struct DeleteWorkspace {
    crds::Workspace workspace;   // that very one, by its uid
    Duration volume_grace = {};  // its volumes are kept for so long; 0: they go with it
    std::string keep_until;      // or until then, as somebody asked
};
// One that was made by hand becomes the Org's, and is brought to the template.
struct AdoptWorkspace {
    crds::Workspace next;
    std::vector<std::string> changed;  // fields of the spec
};
// The Org gives it up, as asked: nothing else about it changes.
struct ReleaseWorkspace {
    crds::Workspace workspace;
};
struct RemoveEnv {
    std::string workspace;
};
struct ReleaseOrg {};  // nothing is left of a deleted Org
using OrgAction = std::variant<PutEnv, CreateWorkspace, UpdateWorkspace, DeleteWorkspace,
                               AdoptWorkspace, ReleaseWorkspace, RemoveEnv, ReleaseOrg>;

struct OrgPlan {
    std::vector<OrgAction> actions;
    PruneDecision prune;
    std::vector<std::string> conflicts;  // names that exist and are not ours
    std::vector<std::string> problems;   // "acme-pm: why it cannot be made"
    std::vector<std::string> waiting;    // "acme-old is being deleted"
    std::vector<std::string> refused;    // "acme-pm: why it cannot be adopted"
};

OrgPlan plan_org(const crds::Org& org, const OrgObserved& observed, const Desired& desired);
OrgPlan plan_deletion(const crds::Org& org, const OrgObserved& observed);

std::string text_of(const OrgAction& action);
std::string_view verb_of(const OrgAction& action);  // "create", for metrics
std::string text_of(const OrgPlan& plan);           // ", " between actions; what blocks comes last

}  // namespace atelier::reconcilers
