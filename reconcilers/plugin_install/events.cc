#include "reconcilers/plugin_install/events.h"

#include "base/text.h"
#include "crds/plugin_install_conditions.h"
#include "reconcilers/common/text.h"

namespace atelier::reconcilers::plugin_install {
namespace {

namespace condition = crds::plugin_install::condition;
namespace reason = crds::plugin_install::reason;

using crds::EventType;
using crds::PluginInstall;
using crds::PluginInstallStatus;

// It is expected to come by itself.
bool is_waiting(const std::string& why) {
    return why == reason::waiting_for_unit || why == reason::waiting_for_plugin ||
           why == reason::delivering;
}

}  // namespace

bool was_delivered(const PluginInstall& install, const PluginInstallStatus& next) {
    return next.delivered == next.desired && !next.delivered.empty() &&
           install.status.delivered != next.delivered;
}

std::string change_class_of(const PluginInstallStatus& next) {
    return lower(json::name_of(next.last_change.value_or(crds::ChangeClass::cold)));
}

std::vector<ObjectEvent> events(const PluginInstall& install, const PluginInstallStatus& next) {
    std::vector<ObjectEvent> out;
    const std::string& plugin = install.spec.plugin;
    const std::string& workspace = install.spec.workspace;
    if (was_delivered(install, next)) {
        out.push_back({EventType::normal, "Delivered",
                       "delivered " + plugin + " " + short_digest(next.delivered) + " to " +
                           workspace + " (" + change_class_of(next) + ", by " + next.delivery +
                           ")"});
    }
    if (next.loaded != install.status.loaded && !next.loaded.empty()) {
        out.push_back({EventType::normal, "Loaded",
                       "the agent of " + workspace + " reports that it has loaded " + plugin + " " +
                           short_digest(next.loaded)});
    }
    const crds::Condition* delivered = changed_reason(install.status, next, condition::delivered);
    if (delivered && delivered->status == crds::ConditionStatus::no) {
        out.push_back({is_waiting(delivered->reason) ? EventType::normal : EventType::warning,
                       delivered->reason, delivered->message});
    }
    return out;
}

}  // namespace atelier::reconcilers::plugin_install
