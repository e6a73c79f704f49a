// What a DeletedWorkspace is reconciled against. A value: everything after observing is pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "reconcilers/common/kept_volumes.h"

namespace atelier::reconcilers::deleted_workspace {

struct Observed {
    std::vector<std::string> volumes;       // "backend/name": those that exist
    std::string unreachable;                // why `volumes` is not known; empty: it is
    std::optional<VolumesHolder> holder;    // the Workspace that has the volumes now
    std::optional<VolumesHolder> in_place;  // another Workspace, of the name to restore under
    bool parent_there = false;              // the parent of then still exists
    bool env_due = false;  // the holder reads a Secret that is kept here, and does not have it
};

}  // namespace atelier::reconcilers::deleted_workspace
