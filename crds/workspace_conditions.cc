#include "crds/workspace_conditions.h"

namespace atelier::crds {

bool is_ready(const Workspace& workspace) {
    return !workspace.being_deleted() &&
           workspace.status.observed_generation == workspace.meta.generation &&
           workspace.status.is_true(condition::ready);
}

bool is_healthy(const Workspace& workspace) {
    return workspace.status.is_true(crds::workspace::condition::healthy);
}

}  // namespace atelier::crds
