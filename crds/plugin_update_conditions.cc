#include "crds/plugin_update_conditions.h"

namespace atelier::crds {

bool has_ended(UpdatePhase phase) {
    switch (phase) {
        case UpdatePhase::pending:
        case UpdatePhase::approved:
        case UpdatePhase::rolling_out:
            return false;
        default:
            return true;
    }
}

bool is_open(const PluginUpdate& update) {
    return !has_ended(update.status.phase);
}

}  // namespace atelier::crds
