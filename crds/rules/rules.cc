#include "crds/rules/rules.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "crds/causes.h"
#include "crds/definition.h"
#include "crds/update_tier.h"
#include "crds/yaml.h"

namespace atelier::crds {
namespace {

std::string quoted(std::string_view text) {
    constexpr std::size_t most = 200;
    std::size_t end = std::min(text.size(), most);
    while (end < text.size() && end > 0 &&
           (static_cast<unsigned char>(text[end]) & 0xc0u) == 0x80u) {
        --end;
    }
    const json::Value value(
        rapidjson::StringRef(text.data(), static_cast<rapidjson::SizeType>(end)));
    return json::text(value) + (end < text.size() ? "…" : "");
}

std::string string_below_spec(const json::Value& object, std::string_view path) {
    const json::Value* at = json::find(object, {"spec"});
    for (const std::string& name : split(path, '.')) {
        if (at) at = json::find(*at, {name});
    }
    return at && at->IsString() ? std::string(json::view(*at)) : std::string();
}

json::Document read_embedded(const EmbeddedFile& file) {
    auto documents = parse_yaml(file.text, file.name);
    CHECK(documents && documents->size() == 1);
    return std::move(documents->front().value);
}

}  // namespace

void Findings::add(std::string_view field, std::string_view reason, std::string message) {
    add_cause(causes_, {std::string(field), std::string(reason), std::move(message)});
}
void Findings::invalid(std::string_view field, std::string_view value, std::string_view why) {
    add(field, "FieldValueInvalid", fmt::format("Invalid value: {}: {}", quoted(value), why));
}
void Findings::required(std::string_view field, std::string_view why) {
    add(field, "FieldValueRequired", fmt::format("Required value: {}", why));
}
void Findings::forbidden(std::string_view field, std::string_view why) {
    add(field, "FieldValueForbidden", fmt::format("Forbidden: {}", why));
}
void Findings::not_found(std::string_view field, std::string_view value, std::string_view why) {
    add(field, "FieldValueNotFound", fmt::format("Not found: {}: {}", quoted(value), why));
}
void Findings::duplicate(std::string_view field, std::string_view value) {
    add(field, "FieldValueDuplicate", fmt::format("Duplicate value: {}", quoted(value)));
}
void Findings::check(std::string_view field, std::string_view value, const Result<void>& result) {
    if (!result) invalid(field, value, result.error().message);
}
void Findings::unreadable(const Error& error) {
    add("spec", "FieldValueInvalid", fmt::format("Invalid value: {}", error.message));
}

void check_immutable_field(const json::Value& object, const json::Value* old, std::string_view path,
                           Findings& findings) {
    if (!old) return;
    const std::string before = string_below_spec(*old, path);
    const std::string now = string_below_spec(object, path);
    if (before == now) return;
    findings.invalid(fmt::format("spec.{}", path), now,
                     fmt::format("field is immutable; it is {}", quoted(before)));
}

bool has_control(std::string_view text, bool lines) {
    return std::any_of(text.begin(), text.end(), [&](char c) {
        if (lines && (c == '\n' || c == '\t')) return false;
        return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    });
}

void check_update_tier(std::string_view field, const std::string& tier, const Lookup& lookup,
                       Findings& findings) {
    static const std::vector<std::string> built_in{"canary", "production"};
    if (tier.empty() || std::find(built_in.begin(), built_in.end(), tier) != built_in.end()) return;
    const std::string resource(UpdateTierSpec::resource);
    if (!lookup.find({resource, "", tier}).empty()) return;
    std::vector<std::string> candidates = lookup.names(resource, "");
    candidates.insert(candidates.end(), built_in.begin(), built_in.end());
    const auto meant = did_you_mean(tier, candidates);
    findings.not_found(
        field, tier,
        meant ? fmt::format("no UpdateTier has this name; did you mean \"{}\"?", *meant)
              : "no UpdateTier has this name; create it first");
}

Rule rule_of(std::string_view resource, const KindOptions& options) {
    if (resource == "orgtemplates.atelier.dev") return org_template_rule;
    if (resource == "orgs.atelier.dev") return org_rule;
    if (resource == "workspaces.atelier.dev") return workspace_rule;
    if (resource == "deletedworkspaces.atelier.dev") return deleted_workspace_rule;
    if (resource == "plugininstalls.atelier.dev") return plugin_install_rule;
    if (resource == "pluginupdates.atelier.dev") return plugin_update_rule;
    if (resource == "plugins.atelier.dev") {
        return [allow = options.allow_unpinned](const json::Value& object, const json::Value*,
                                                const Lookup&, std::vector<Cause>& causes) {
            plugin_rule(object, allow, causes);
        };
    }
    return {};  // the schemas of UpdateTier and PluginPolicy say everything
}

Result<Kinds> atelier_kinds(const KindOptions& options) {
    Kinds kinds;
    for (const EmbeddedFile& file : embedded_definitions()) {
        Kind kind = TRY(kind_of_definition(read_embedded(file)));
        kind.rule = rule_of(kind.resource(), options);
        kinds.add(std::move(kind));
    }
    return kinds;
}

std::vector<json::Document> embedded_crds() {
    std::vector<json::Document> out;
    for (const EmbeddedFile& file : embedded_definitions()) out.push_back(read_embedded(file));
    return out;
}

}  // namespace atelier::crds
