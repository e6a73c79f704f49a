#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "reconcilers/org/status.h"

namespace atelier::reconcilers {
namespace {

std::vector<std::string> missing_of(const std::vector<crds::EnvRequirement>& requirements,
                                    const std::set<std::string>& given) {
    std::vector<std::string> missing;
    for (const crds::EnvRequirement& requirement : requirements) {
        const bool met = std::any_of(requirement.any_of.begin(), requirement.any_of.end(),
                                     [&](const std::string& name) { return given.contains(name); });
        if (!met) missing.push_back(join(requirement.any_of, " or "));
    }
    return missing;
}

}  // namespace

crds::Condition env_condition(const crds::Org& org, const CompiledOrg& compiled,
                              const OrgObserved& observed) {
    std::set<std::string> given = observed.env_from_names;
    given.insert(compiled.env_names.begin(), compiled.env_names.end());
    for (const Node& node : compiled.nodes) {
        given.insert(node.env_names.begin(), node.env_names.end());
    }
    const auto missing = missing_of(compiled.required_env, given);
    const auto wished = missing_of(compiled.recommended_env, given);

    crds::Condition condition{.type = std::string(condition::env_satisfied),
                              .status = crds::ConditionStatus::yes,
                              .reason = "AllGiven",
                              .message = "every required variable is set",
                              .observed_generation = org.meta.generation};
    const std::string where =
        "in a Secret or ConfigMap named in spec.envFrom of the Org, or in a .env file of the "
        "template";
    if (!missing.empty()) {
        condition.status = crds::ConditionStatus::no;
        condition.reason = "RequiredMissing";
        condition.message = fmt::format("missing: {}; set {}", join(missing, ", "), where);
    } else if (!observed.env_from_missing.empty()) {
        condition.status = crds::ConditionStatus::no;
        condition.reason = "SourceMissing";
        condition.message = fmt::format("spec.envFrom names what does not exist: {}",
                                        join(observed.env_from_missing, ", "));
    } else if (!wished.empty()) {
        condition.reason = "RecommendedMissing";
        condition.message =
            fmt::format("recommended and not set: {}; set {}", join(wished, ", "), where);
    }
    return condition;
}

}  // namespace atelier::reconcilers
