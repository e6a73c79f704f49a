// The status of a Workspace as a function of what is observed. Pure.
#pragma once

#include <optional>

#include "base/clock.h"
#include "crds/workspace.h"
#include "crds/workspace_conditions.h"
#include "reconcilers/workspace/plan.h"

namespace atelier::reconcilers::workspace {

// `observed` and `plan` were made after acting: the plan is what is left to do. `failure` is how
// acting ended.
crds::WorkspaceStatus status(const crds::Workspace& workspace, const Observed& observed,
                             const Plan& plan, const std::optional<Error>& failure, Instant now);

// Of a workspace that is being deleted and has nothing left here: finalizers of others hold it.
crds::WorkspaceStatus terminating(const crds::Workspace& workspace, Instant now);

}  // namespace atelier::reconcilers::workspace
