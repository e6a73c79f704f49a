#include "reconcilers/org/planned.h"

#include <fmt/format.h>

#include "reconcilers/common/status.h"
#include "reconcilers/environment/planned_values.h"

namespace atelier::reconcilers {
namespace {

// Whether the template was looked at since it was last asked to. What an Org is pinned to waits for
// no look.
bool is_settled(const OrgObserved& observed) {
    if (observed.pinned) return observed.template_is_current();
    return observed.template_is_current() &&
           observed.source->status.last_handled_reconcile_at ==
               observed.source->meta.annotation(crds::annotation::reconcile_requested_at);
}

// The artifact is the planned one, and its values may be others.
std::optional<PlanHold> hold_for_environment(const crds::Org& org, const OrgObserved& observed,
                                             const std::string& planned, std::string_view key) {
    // While values are not there yet nothing is made of them.
    if (planned.empty() || observed.layers_missing) return std::nullopt;
    const std::string has = environment_digest(observed, key);
    if (has == planned) return std::nullopt;
    PlanHold hold;
    hold.moved = is_settled(observed);
    const std::string& name = org.meta.name;
    if (hold.moved) {
        hold.reason = "EnvironmentChanged";
        hold.message = fmt::format(
            "the values of the environment are other ones ({}) than those of the plan that was "
            "applied ({}): nothing is changed; look at what would happen now with `atelier plan "
            "{}`, and apply that",
            has.substr(0, 8), planned.substr(0, 8), name);
    } else {
        hold.message = fmt::format(
            "waits for the template to have the environment {}, as planned; to give the plan up, "
            "apply another one: `atelier plan {}`",
            planned.substr(0, 8), name);
    }
    return hold;
}

}  // namespace

bool is_bound(const crds::Meta& org) {
    return !org.annotation(annotation::planned_artifact).empty();
}

Bond bond_of(const crds::Meta& org) {
    return {org.annotation(annotation::planned_artifact),
            org.annotation(annotation::planned_environment)};
}

void set_bond(crds::Meta& org, const Bond& bond) {
    release_bond(org);
    org.annotations[std::string(annotation::planned_artifact)] = bond.artifact;
    if (bond.environment.empty()) return;
    org.annotations[std::string(annotation::planned_environment)] = bond.environment;
}

void release_bond(crds::Meta& org) {
    org.annotations.erase(std::string(annotation::planned_artifact));
    org.annotations.erase(std::string(annotation::planned_environment));
}

std::optional<PlanHold> hold_of(const crds::Org& org, const OrgObserved& observed,
                                std::string_view key) {
    const auto [planned, environment] = bond_of(org.meta);
    if (planned.empty()) return std::nullopt;
    if (observed.unknown_revision) return std::nullopt;  // told by the Org's own status
    const std::string has = observed.revision ? observed.revision->artifact_digest : "";
    if (has == planned) return hold_for_environment(org, observed, environment, key);
    const std::string& name = org.meta.name;
    PlanHold hold;
    hold.reason = "TemplateWentOn";
    hold.moved = observed.revision && is_settled(observed) && has != org.status.artifact_digest;
    if (hold.moved) {
        hold.message = fmt::format(
            "the template has gone on to {} (revision {}), and the plan that was applied is of {}: "
            "nothing is changed; look at what would happen now with `atelier plan {}`, and apply "
            "that",
            has.substr(0, 12), observed.revision->revision, planned.substr(0, 12), name);
    } else {
        hold.message = fmt::format(
            "waits for the template to have {}, as planned; to give the plan up, apply another "
            "one: "
            "`atelier plan {}`",
            planned.substr(0, 12), name);
    }
    return hold;
}

crds::OrgStatus held_status(const crds::Org& org, const OrgObserved& observed, const PlanHold& hold,
                            Instant now) {
    auto status = begun(org);
    status.clear(crds::condition::suspended);
    status.counts.owned = static_cast<std::int64_t>(observed.owned.size());
    status.counts.ready = 0;
    for (const crds::Workspace& workspace : observed.owned) {
        const bool ready = !workspace.being_deleted() &&
                           workspace.status.observed_generation == workspace.meta.generation &&
                           workspace.status.is_true(crds::condition::ready);
        status.counts.ready += ready ? 1 : 0;
    }
    using crds::ConditionStatus;
    if (hold.moved) {
        set_condition(status, condition::plan_moved, ConditionStatus::yes, hold.reason,
                      hold.message, now);
        set_condition(status, crds::condition::ready, ConditionStatus::no, "PlanMoved",
                      hold.message, now);
        set_condition(status, crds::condition::stalled, ConditionStatus::yes, "PlanMoved",
                      hold.message, now);
        status.clear(crds::condition::reconciling);
        return status;
    }
    status.clear(condition::plan_moved);
    status.clear(crds::condition::stalled);
    set_condition(status, crds::condition::ready, ConditionStatus::no, "WaitingForPlan",
                  hold.message, now);
    set_condition(status, crds::condition::reconciling, ConditionStatus::yes, "WaitingForPlan",
                  hold.message, now);
    return status;
}

}  // namespace atelier::reconcilers
