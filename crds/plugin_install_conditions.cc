#include "crds/plugin_install_conditions.h"

namespace atelier::crds {

namespace condition_of = plugin_install::condition;

bool is_settled(const PluginInstall& install) {
    if (install.being_deleted()) return false;
    if (install.status.observed_generation != install.meta.generation) return false;
    if (install.spec.suspend) return true;
    const Condition* delivered = install.status.find(condition_of::delivered);
    if (!delivered || delivered->status == ConditionStatus::unknown) return false;
    return delivered->reason != plugin_install::reason::delivering;
}

bool is_effective(const PluginInstall& install) {
    return install.status.is_true(condition_of::effective) &&
           install.status.loaded == install.spec.version.digest;
}

bool is_delivered(const PluginInstall& install) {
    return install.status.is_true(condition_of::delivered) &&
           install.status.delivered == install.spec.version.digest;
}

}  // namespace atelier::crds
