// Which owned workspaces an Org may delete because its template no longer has them. Pure.
//
// The rules, in order:
// 1. A template that is absent, not compiled, or newer than its last compilation deletes nothing;
//    of a pinned Org, one that is absent, or whose history or tree store lacks that revision.
// 2. Policy Retain deletes nothing.
// 3. A template without any workspace deletes nothing.
// 4. Workspaces under `spawning: false`, and those annotated atelier.dev/protect=true, stay.
// 5. More than `maxPercent` of the owned workspaces in one go wait for a confirmation, bound to the
//    exact set by a digest. Workspaces that came with the very artifact that drops the others do
//    not count: a template that is replaced by a larger one would otherwise be within any limit.
//    One workspace is always within the limit, unless maxPercent is 0: in a small org a single
//    removal would otherwise always be over it. A confirmed pruning that was cut off goes on.
// 6. While a workspace of the template cannot be made (its name is taken, it is invalid), nothing
//    is deleted: what goes may be its old form. (plan.cc)
#pragma once

#include <set>
#include <string>
#include <vector>

#include "crds/org.h"
#include "reconcilers/org/desired.h"
#include "reconcilers/org/observed.h"

namespace atelier::reconcilers {

struct PruneDecision {
    std::vector<std::string> remove;   // may go now, children before parents
    std::vector<std::string> pending;  // would go, but wait; sorted
    std::string digest;                // of the pending set; empty unless a confirmation helps
    std::string confirmed;             // the digest that lets `remove` go; empty: none was needed
    std::string reason;                // why they wait: EmptyDesiredSet, MaxPercentExceeded, ...
    std::string message;
};

PruneDecision decide_prune(const crds::Org& org, const OrgObserved& observed,
                           const Desired& desired);

// Children before their parents, then by name.
std::vector<std::string> children_first(const std::vector<const crds::Workspace*>& workspaces);

}  // namespace atelier::reconcilers
