#include "crds/org.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "crds/org_template.h"
#include "crds/plugin_source.h"
#include "crds/rules/rules.h"

namespace atelier::crds {
namespace {

// Labels carry the names of orgs.
constexpr std::size_t longest_org_name = 63;

void check_git(const GitSource& git, Findings& findings) {
    findings.check("spec.source.git.url", without_credentials(git.url),
                   check_repository_url(git.url));
    if (!git.ref.empty()) findings.check("spec.source.git.ref", git.ref, check_git_ref(git.ref));
    if (!git.path.empty() && (!is_safe_relative_path(git.path) || has_control(git.path, false))) {
        findings.invalid("spec.source.git.path", git.path,
                         "must be relative, without \"..\", \".\" or empty parts");
    }
}

bool is_parameter_name(std::string_view name) {
    return !name.empty() && name.size() <= 255 && !(name.front() >= '0' && name.front() <= '9') &&
           std::all_of(name.begin(), name.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '_';
           });
}

}  // namespace

void org_template_rule(const json::Value& object, const json::Value*, const Lookup&,
                       std::vector<Cause>& causes) {
    Findings findings(causes);
    const auto spec = json::read<OrgTemplateSpec>(object["spec"]);
    if (!spec) return findings.unreadable(spec.error());
    const TemplateSource& source = spec->source;
    const int members = (source.git ? 1 : 0) + (source.directory.empty() ? 0 : 1) +
                        (source.inline_yaml.empty() ? 0 : 1);
    if (members == 0) {
        findings.required("spec.source", "set exactly one of git, directory and inline");
    } else if (members > 1) {
        findings.forbidden("spec.source", "more than one of git, directory and inline is set");
    }
    if (source.git) check_git(*source.git, findings);
    if (!source.directory.empty() &&
        (!is_safe_relative_path(source.directory) || has_control(source.directory, false))) {
        findings.invalid("spec.source.directory", source.directory,
                         "must be relative to the server's directory of templates, without \"..\", "
                         "\".\" or empty parts");
    }
    if (spec->interval < std::chrono::seconds(1)) {
        findings.invalid("spec.interval", format_duration(spec->interval), "must be at least 1s");
    }
}

void org_rule(const json::Value& object, const json::Value* old, const Lookup& lookup,
              std::vector<Cause>& causes) {
    Findings findings(causes);
    const auto spec = json::read<OrgSpec>(object["spec"]);
    if (!spec) return findings.unreadable(spec.error());
    const std::string name = json::string_at(object, {"metadata", "name"});
    if (!old && name.size() > longest_org_name) {
        findings.invalid(
            "metadata.name", name,
            fmt::format("the name of an Org may have at most {} characters", longest_org_name));
    }
    for (const auto& [parameter, value] : spec->parameters) {
        if (is_parameter_name(parameter)) continue;
        findings.invalid(fmt::format("spec.parameters[{}]", parameter), parameter,
                         "a parameter is named like a variable: letters, digits and '_', not "
                         "beginning with a digit");
    }
    if (spec->prune.volume_grace < Duration::zero()) {
        findings.invalid("spec.prune.volumeGrace", format_duration(spec->prune.volume_grace),
                         "must not be negative; 0s keeps no volumes");
    }
    OrgSpec before;
    if (old) {
        if (const json::Value* spec_before = json::find(*old, {"spec"})) {
            if (auto read = json::read<OrgSpec>(*spec_before)) before = *std::move(read);
        }
    }
    if (spec->defaults.update_tier != before.defaults.update_tier) {
        check_update_tier("spec.defaults.updateTier", spec->defaults.update_tier, lookup, findings);
    }
    for (const auto& [key, tier] : spec->update_tiers) {
        const auto known = before.update_tiers.find(key);
        if (known != before.update_tiers.end() && known->second == tier) continue;
        check_update_tier(fmt::format("spec.updateTiers[{}]", key), tier, lookup, findings);
    }
    for (std::size_t i = 0; i < spec->env_from.size(); ++i) {
        const EnvFrom& from = spec->env_from[i];
        if (bool(from.secret_ref) == bool(from.config_map_ref)) {
            findings.invalid(fmt::format("spec.envFrom[{}]", i), "",
                             "set exactly one of secretRef and configMapRef");
        }
    }
}

}  // namespace atelier::crds
