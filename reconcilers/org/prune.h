// Which of its workspaces an Org may delete because its template no longer has them. Pure.
//
// The rules, in order:
// 1. Nothing is deleted while the template is absent, not compiled, or newer than its last
//    compilation; for a pinned Org: while its revision is not in the history or the tree store.
// 2. Nothing is deleted under the policy Retain.
// 3. Nothing is deleted by a template without any workspace.
// 4. Workspaces under `spawning: false`, and those annotated atelier.dev/protect=true, stay.
// 5. If more than `maxPercent` of the owned workspaces would be deleted at once, all of them wait
//    for a confirmation, which is bound to the exact set by a digest. Workspaces that were created
//    for the same artifact that drops the others do not count as owned: otherwise a template that
//    is replaced by a larger one would always be within the limit. One workspace is always within
//    the limit, unless maxPercent is 0: in a small org a single removal would always exceed it. A
//    confirmed pruning that was interrupted continues.
// 6. While a workspace of the template cannot be created (its name is taken, it is invalid),
//    nothing is deleted: a workspace to be deleted may be its old form (plan.cc).
#pragma once

#include <set>
#include <string>
#include <vector>

#include "crds/org.h"
#include "reconcilers/org/desired.h"
#include "reconcilers/org/observe.h"

namespace atelier::reconcilers::org {

struct PruneDecision {
    std::vector<std::string> remove;   // to be deleted now, children before parents
    std::vector<std::string> pending;  // would be deleted, but wait; sorted
    std::string digest;                // of the pending set; empty unless a confirmation helps
    std::string confirmed;             // the digest that allowed `remove`; empty: none was needed
    std::string reason;                // why they wait: EmptyDesiredSet, MaxPercentExceeded, ...
    std::string message;
};

PruneDecision decide_prune(const crds::Org& org, const Observed& observed, const Desired& desired);

// Children before their parents, then by name.
std::vector<std::string> children_first(const std::vector<const crds::Workspace*>& workspaces);

}  // namespace atelier::reconcilers::org
