// The status of a DeletedWorkspace as a function of what is observed. Pure.
#pragma once

#include <optional>

#include "base/clock.h"
#include "base/result.h"
#include "crds/deleted_workspace.h"
#include "reconcilers/deleted_workspace/observed.h"

namespace atelier::reconcilers::deleted_workspace {

// `failure` is how acting ended.
crds::DeletedWorkspaceStatus status(const crds::DeletedWorkspace& object, const Observed& observed,
                                    const std::optional<Error>& failure, Instant now);

}  // namespace atelier::reconcilers::deleted_workspace
