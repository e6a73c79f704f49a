#include "reconcilers/workspace/events.h"

#include <algorithm>
#include <array>

#include "crds/workspace_conditions.h"

namespace atelier::reconcilers::workspace {
namespace {

namespace condition = crds::workspace::condition;
namespace reason = crds::workspace::reason;

using crds::EventType;
using crds::Workspace;
using crds::WorkspaceStatus;

// Reasons that somebody should hear of.
constexpr std::array troubles = {
    reason::image_missing,   reason::failed,          reason::invalid,
    reason::crash_loop,      reason::secrets_missing, reason::backend_missing,
    reason::network_missing, reason::out_of_memory,   reason::unhealthy};

void add_actions(const Workspace& workspace, const Plan& done, std::vector<ObjectEvent>& out) {
    const std::string unit = unit_name(workspace.meta.uid);
    bool made = false;
    bool removed = false;
    for (const Action& action : done.actions) {
        if (const auto* create = std::get_if<Create>(&action)) {
            made = true;
            if (create->attempt > 0) {
                out.push_back({EventType::warning, "Crashed",
                               unit + " ended by itself with " + create->reason});
            }
            out.push_back({EventType::normal, create->restarts > 0 ? "Restarted" : "Started",
                           unit + " was started: " + create->reason});
        } else if (const auto* install = std::get_if<CreateInstall>(&action)) {
            out.push_back({EventType::normal, "PluginInstallCreated",
                           "plugin " + install->plugin + " is to be installed"});
        } else if (std::holds_alternative<RemoveUnit>(action)) {
            removed = true;
        }
    }
    if (removed && !made) {
        out.push_back({EventType::normal, "Removed", unit + " was stopped and removed"});
    }
}

bool is_trouble(std::string_view type, const std::string& why) {
    if (why == reason::runtime_unreachable) return type == condition::provisioned;
    return std::find(troubles.begin(), troubles.end(), why) != troubles.end();
}

void add_changes(const WorkspaceStatus& last, const WorkspaceStatus& next,
                 std::vector<ObjectEvent>& out) {
    for (const std::string_view type : {condition::provisioned, condition::healthy}) {
        const crds::Condition* now = changed_reason(last, next, type);
        if (now && is_trouble(type, now->reason)) {
            out.push_back({EventType::warning, now->reason, now->message});
        }
    }
    if (const auto* skills = changed_reason(last, next, condition::skill_conflict)) {
        out.push_back({EventType::warning, skills->reason, skills->message});
    }
    const crds::Condition* before = last.find(condition::provisioned);
    if (before && before->reason == reason::runtime_unreachable &&
        changed_reason(last, next, condition::provisioned)) {
        out.push_back({EventType::normal, "RuntimeReachable", "the runtime answers again"});
    }
}

}  // namespace

std::vector<ObjectEvent> events(const Workspace& workspace, const WorkspaceStatus& next,
                                const Plan& done) {
    std::vector<ObjectEvent> out;
    add_actions(workspace, done, out);
    add_changes(workspace.status, next, out);
    return out;
}

ObjectEvent end_event(const Workspace& workspace, const Plan& done) {
    std::string volumes = "it had no volumes";
    for (const Action& action : done.actions) {
        if (const auto* keep = std::get_if<KeepVolumes>(&action)) {
            volumes = "its volumes are kept until " + rfc3339(keep->until) +
                      ": to bring it back, atelier undelete " + workspace.meta.name;
        } else if (std::holds_alternative<RemoveVolume>(action)) {
            volumes = "its volumes were removed";
        }
    }
    return {EventType::normal, "Deleted", "the workspace was deleted; " + volumes};
}

}  // namespace atelier::reconcilers::workspace
