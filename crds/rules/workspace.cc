#include "crds/workspace.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/text.h"
#include "crds/plugin_source.h"
#include "crds/rules/rules.h"
#include "crds/system_folder.h"

namespace atelier::crds {
namespace {

// Labels carry the names of workspaces.
constexpr std::size_t longest_workspace_name = 63;

bool is_below(std::string_view path, std::string_view folder) {
    return path == folder || (path.starts_with(folder) && path[folder.size()] == '/');
}

void check_files(const WorkspaceSpec& spec, Findings& findings) {
    std::set<std::string_view> paths;
    for (std::size_t i = 0; i < spec.files.size(); ++i) {
        const WorkspaceFile& file = spec.files[i];
        const std::string at = fmt::format("spec.files[{}]", i);
        paths.insert(file.path);
        if (!is_safe_relative_path(file.path) || has_control(file.path, false)) {
            findings.invalid(at + ".path", file.path,
                             "must be relative, without \"..\", \".\" or empty parts");
        } else if (is_below(file.path, "plugins")) {
            findings.invalid(at + ".path", file.path,
                             "the folder plugins belongs to the installed plugins; choose another");
        }
        if (!file.artifact) continue;
        if (!file.content.empty()) {
            findings.forbidden(at, "both content and artifact are set; set one of them");
        }
        if (!is_safe_relative_path(file.artifact->path)) {
            findings.invalid(at + ".artifact.path", file.artifact->path,
                             "must be relative, without \"..\", \".\" or empty parts");
        }
    }
    for (std::size_t i = 0; i < spec.files.size(); ++i) {
        const std::string_view path = spec.files[i].path;
        for (std::size_t slash = path.find('/'); slash != std::string_view::npos;
             slash = path.find('/', slash + 1)) {
            if (!paths.contains(path.substr(0, slash))) continue;
            findings.invalid(
                fmt::format("spec.files[{}].path", i), path,
                fmt::format("\"{}\" is a file of this list, and cannot be a folder, too",
                            path.substr(0, slash)));
            break;
        }
    }
}

void check_environment(const WorkspaceSpec& spec, Findings& findings) {
    for (std::size_t i = 0; i < spec.env.size(); ++i) {
        const EnvValue& env = spec.env[i];
        const int sources = (env.value.empty() ? 0 : 1) + (env.secret_key_ref ? 1 : 0) +
                            (env.config_map_key_ref ? 1 : 0);
        if (sources > 1) {
            findings.forbidden(fmt::format("spec.env[{}]", i),
                               "more than one of value, secretKeyRef and configMapKeyRef is set");
        }
    }
    for (std::size_t i = 0; i < spec.env_from.size(); ++i) {
        if (bool(spec.env_from[i].secret_ref) == bool(spec.env_from[i].config_map_ref)) {
            findings.invalid(fmt::format("spec.envFrom[{}]", i), "",
                             "set exactly one of secretRef and configMapRef");
        }
    }
}

// A folder of the host that a workspace may use: never one that holds the machine itself.
void check_directory(const WorkspaceSpec& spec, Findings& findings) {
    constexpr std::string_view field = "spec.workspaceDir";
    const std::string& path = spec.workspace_dir;
    if (path.empty()) {
        if (spec.workspace_access != WorkspaceAccess::none) {
            findings.required(field, fmt::format("workspaceAccess is {}, which wants a directory",
                                                 json::name_of(spec.workspace_access)));
        }
        return;
    }
    if (path.front() != '/') return findings.invalid(field, path, "must be absolute");
    if (has_control(path, false)) {
        return findings.invalid(field, path, "must not hold control characters");
    }
    if (!is_safe_relative_path(std::string_view(path).substr(1))) {
        return findings.invalid(field, path,
                                "must name a directory without \"..\", \".\" or empty parts");
    }
    if (const std::string_view folder = system_folder_of(path); !folder.empty()) {
        findings.invalid(field, path,
                         fmt::format("{} belongs to the machine; choose another", folder));
    }
}

// What a person typed ends in terminals, logs and container labels.
void check_texts(const WorkspaceSpec& spec, Findings& findings) {
    if (has_control(spec.display_name, false)) {
        findings.invalid("spec.displayName", spec.display_name,
                         "must be one line without control characters");
    }
    if (has_control(spec.role, true)) {
        findings.invalid("spec.role", spec.role, "must not hold control characters");
    }
    if (has_control(spec.model, false)) {
        findings.invalid("spec.model", spec.model, "must be one line without control characters");
    }
    if (!spec.url.empty()) {
        const Result<void> url = check_git_url(spec.url);
        if (!url) {
            findings.invalid(
                "spec.url", without_credentials(spec.url),
                "must be an http:// or https:// URL with a host and without credentials");
        }
    }
}

void check_schedules(const WorkspaceSpec& spec, Findings& findings) {
    for (std::size_t i = 0; i < spec.schedules.size(); ++i) {
        const Schedule& schedule = spec.schedules[i];
        std::size_t fields = 0;
        for (const std::string& field : split(schedule.cron_expr, ' ')) fields += !field.empty();
        if (fields != 5 || has_control(schedule.cron_expr, false)) {
            findings.invalid(
                fmt::format("spec.schedules[{}].cronExpr", i), schedule.cron_expr,
                "must have five fields: minute, hour, day of month, month, day of week");
        }
    }
}

}  // namespace

void workspace_rule(const json::Value& object, const json::Value* old, const Lookup& lookup,
                    std::vector<Cause>& causes) {
    Findings findings(causes);
    const auto spec = json::read<WorkspaceSpec>(object["spec"]);
    if (!spec) return findings.unreadable(spec.error());
    const std::string name = json::string_at(object, {"metadata", "name"});
    if (!old && name.size() > longest_workspace_name) {
        findings.invalid("metadata.name", name,
                         fmt::format("the name of a Workspace may have at most {} characters",
                                     longest_workspace_name));
    }
    // Set once: a workspace that was made by hand gets them when an Org adopts it.
    for (const std::string_view field : {"org", "key"}) {
        if (old && json::string_at(*old, {"spec", field}).empty()) continue;
        check_immutable_field(object, old, field, findings);
    }
    if (!spec->parent.empty() && spec->parent == name) {
        findings.invalid("spec.parent", spec->parent, "a workspace cannot be its own parent");
    }
    if (!old || json::string_at(*old, {"spec", "updateTier"}) != spec->update_tier) {
        check_update_tier("spec.updateTier", spec->update_tier, lookup, findings);
    }
    check_files(*spec, findings);
    check_environment(*spec, findings);
    check_directory(*spec, findings);
    check_texts(*spec, findings);
    check_schedules(*spec, findings);
}

}  // namespace atelier::crds
