#include "reconcilers/environment/env_condition.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/text.h"
#include "crds/org_conditions.h"
#include "reconcilers/environment/persona.h"
#include "reconcilers/org/desired.h"

namespace atelier::reconcilers {
namespace {

using Names = std::set<std::string>;
using Requirements = std::vector<crds::EnvRequirement>;

constexpr std::size_t most_named = 5;

bool is_met(const crds::EnvRequirement& requirement, const Names& given) {
    return std::any_of(requirement.any_of.begin(), requirement.any_of.end(),
                       [&](const std::string& name) { return given.contains(name); });
}

// What each workspace is given, by all of its layers.
class Given {
  public:
    Given(const crds::Org& org, const templates::CompiledOrg& compiled,
          const org::Observed& observed)
        : org_(org), compiled_(compiled), observed_(observed), by_all_(observed.env_from_names) {
        add_given(by_all_, compiled.env_names, compiled.empty_env_names);
        by_any_ = by_all_;
        for (const templates::Node& node : compiled.nodes) {
            add_given(by_any_, node.env_names, node.empty_env_names);
        }
        for (const auto& [secret, names] : observed.personas) {
            by_any_.insert(names.begin(), names.end());
        }
    }

    // In words, what is not given: what the template as a whole asks for, to no workspace; what a
    // workspace asks for, to that workspace.
    std::vector<std::string> missing(const Requirements& own,
                                     Requirements templates::Node::*of_node) const {
        std::vector<std::string> missing;
        Names platform;
        for (const crds::EnvRequirement& requirement : own) {
            if (is_met(requirement, by_any_)) continue;
            missing.push_back(join(requirement.any_of, " or "));
            platform.insert(missing.back());
        }
        std::map<std::string, std::vector<std::string>> by_requirement;
        for (const templates::Node& node : compiled_.nodes) {
            if (node.external || (node.*of_node).empty()) continue;
            const Names given = of(node);
            for (const crds::EnvRequirement& requirement : node.*of_node) {
                std::string text = join(requirement.any_of, " or ");
                if (is_met(requirement, given) || platform.contains(text)) continue;
                by_requirement[std::move(text)].push_back(
                    org::workspace_name(org_.meta.name, node.key));
            }
        }
        for (auto& [text, workspaces] : by_requirement) {
            const std::size_t more = workspaces.size() - std::min(workspaces.size(), most_named);
            workspaces.resize(workspaces.size() - more);
            missing.push_back(fmt::format("{} (for {}{})", text, join(workspaces, ", "),
                                          more ? fmt::format(" and {} more", more) : ""));
        }
        return missing;
    }

  private:
    static void add_given(Names& names, const std::vector<std::string>& set,
                          const std::vector<std::string>& empty) {
        std::set_difference(set.begin(), set.end(), empty.begin(), empty.end(),
                            std::inserter(names, names.end()));
    }

    Names of(const templates::Node& node) const {
        Names names = by_all_;
        // An empty value in the node's .env hides that of the template's .env, but no Secret's.
        for (const std::string& name : node.empty_env_names) {
            if (!observed_.env_from_names.contains(name)) names.erase(name);
        }
        add_given(names, node.env_names, node.empty_env_names);
        const auto persona = persona_of(node, org_.spec);
        if (!persona) return names;
        const auto found = observed_.personas.find(persona->secret);
        if (found != observed_.personas.end()) {
            names.insert(found->second.begin(), found->second.end());
        }
        return names;
    }

    const crds::Org& org_;
    const templates::CompiledOrg& compiled_;
    const org::Observed& observed_;
    Names by_all_;  // given to every workspace
    Names by_any_;  // given to at least one
};

}  // namespace

crds::Condition env_condition(const crds::Org& org, const templates::CompiledOrg& compiled,
                              const org::Observed& observed) {
    const Given given(org, compiled, observed);
    const auto missing = given.missing(compiled.own_required_env, &templates::Node::required_env);
    const auto wished =
        given.missing(compiled.own_recommended_env, &templates::Node::recommended_env);

    crds::Condition condition{.type = std::string(crds::org::condition::env_satisfied),
                              .status = crds::ConditionStatus::yes,
                              .reason = "AllGiven",
                              .message = "every required variable is set",
                              .observed_generation = org.meta.generation};
    const std::string where =
        "in a Secret or ConfigMap named in spec.envFrom of the Org, in the workspace's persona, or "
        "in a .env file of the template";
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
