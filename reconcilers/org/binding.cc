#include "reconcilers/org/binding.h"

#include <fmt/format.h>

#include "crds/org_conditions.h"

namespace atelier::reconcilers::org {
namespace {

namespace reason = crds::org::reason;

// Whether the template has read its source since it was last asked to. A pinned Org does not
// depend on that: its revision is in the history already.
bool is_settled(const Observed& observed) {
    if (observed.pinned) return observed.template_is_current();
    return observed.template_is_current() &&
           observed.source->status.last_handled_reconcile_at ==
               observed.source->meta.annotation(crds::annotation::reconcile_requested_at);
}

// The artifact is the promised one; the values that come with it may differ.
std::optional<Hold> hold_for_environment(const crds::Org& org, const Observed& observed,
                                         const std::string& promised) {
    // Without its Secret of values the Org executes nothing anyway (plan.cc).
    if (promised.empty() || observed.layers_missing) return std::nullopt;
    if (observed.environment == promised) return std::nullopt;
    Hold hold;
    hold.moved = is_settled(observed);
    const std::string& name = org.meta.name;
    if (hold.moved) {
        hold.reason = reason::environment_changed;
        hold.message = fmt::format(
            "the values of the environment are other ones ({}) than those of the plan that was "
            "applied ({}): nothing is changed; look at what would happen now with `atelier plan "
            "{}`, and apply that",
            observed.environment.substr(0, 8), promised.substr(0, 8), name);
    } else {
        hold.message = fmt::format(
            "waits until OrgTemplate {} has the planned environment {}; to give the plan up, apply "
            "another one: `atelier plan {}`",
            org.spec.template_ref.name, promised.substr(0, 8), name);
    }
    return hold;
}

}  // namespace

bool is_bound(const crds::Meta& org) {
    return !org.annotation(annotation::planned_artifact).empty();
}

Binding binding_of(const crds::Meta& org) {
    return {org.annotation(annotation::planned_artifact),
            org.annotation(annotation::planned_environment)};
}

void bind(crds::Meta& org, const Binding& binding) {
    unbind(org);
    org.annotations[std::string(annotation::planned_artifact)] = binding.artifact;
    if (binding.environment.empty()) return;
    org.annotations[std::string(annotation::planned_environment)] = binding.environment;
}

void unbind(crds::Meta& org) {
    org.annotations.erase(std::string(annotation::planned_artifact));
    org.annotations.erase(std::string(annotation::planned_environment));
}

std::optional<Hold> hold_of(const crds::Org& org, const Observed& observed) {
    const auto [promised, environment] = binding_of(org.meta);
    if (promised.empty()) return std::nullopt;
    if (observed.unknown_revision) return std::nullopt;  // the status reports that
    const std::string has = observed.revision ? observed.revision->artifact_digest : "";
    if (has == promised) return hold_for_environment(org, observed, environment);
    const std::string& name = org.meta.name;
    Hold hold;
    hold.reason = reason::template_went_on;
    hold.moved = observed.revision && is_settled(observed) && has != org.status.artifact_digest;
    if (hold.moved) {
        hold.message = fmt::format(
            "the template has gone on to {} (revision {}), and the plan that was applied is of {}: "
            "nothing is changed; look at what would happen now with `atelier plan {}`, and apply "
            "that",
            has.substr(0, 12), observed.revision->revision, promised.substr(0, 12), name);
    } else {
        hold.message = fmt::format(
            "waits until OrgTemplate {} has the planned artifact {}; to give the plan up, apply "
            "another one: `atelier plan {}`",
            org.spec.template_ref.name, promised.substr(0, 12), name);
    }
    return hold;
}

}  // namespace atelier::reconcilers::org
