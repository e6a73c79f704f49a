// Which Events a Workspace's reconcile records. Pure.
#pragma once

#include <vector>

#include "crds/workspace.h"
#include "reconcilers/common/events.h"
#include "reconcilers/workspace/plan.h"

namespace atelier::reconcilers::workspace {

// `done` is the plan that was carried out, empty when it failed; `next` the status that follows.
std::vector<ObjectEvent> events(const crds::Workspace& workspace, const crds::WorkspaceStatus& next,
                                const Plan& done);

// The last event of a workspace: it was deleted, and what became of its volumes.
ObjectEvent end_event(const crds::Workspace& workspace, const Plan& done);

}  // namespace atelier::reconcilers::workspace
