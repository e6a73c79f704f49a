#include "reconcilers/environment/values.h"

#include <algorithm>

#include "base/text.h"
#include "reconcilers/environment/workspace_env.h"

namespace atelier::reconcilers::workspace {
namespace {

bool is_env_name(const std::string& name) {
    const auto letter = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    };
    return !name.empty() && letter(name[0]) && std::all_of(name.begin(), name.end(), [&](char c) {
        return letter(c) || (c >= '0' && c <= '9');
    });
}

using Found = std::map<std::string, std::optional<Values>>;

const Values* look_up(const Found& sources, const std::string& kind, const std::string& name,
                      Env& env) {
    const auto it = sources.find(name);
    if (it != sources.end() && it->second) return &*it->second;
    env.missing.push_back(kind + " \"" + name + "\"");
    return nullptr;
}

// An environment cannot hold a value with a NUL: such a value counts as missing.
bool usable(const std::string& value) {
    return value.find('\0') == std::string::npos;
}

// `of_template`: the Secret with the values of the template's .env files. An empty value there
// hides the value of an outer .env, but none of another source: templates list names without
// values, for operators to set them in a Secret.
void take_all(const Found& sources, const std::string& kind, const std::string& name,
              bool of_template, Env& env) {
    const Values* values = look_up(sources, kind, name, env);
    if (!values) return;
    // Keys such as "ca.crt" cannot name variables: the Secret has them for other uses.
    for (const auto& [key, value] : *values) {
        if (!is_env_name(key) || !usable(value)) continue;
        if (of_template && value.empty() && env.values.contains(key)) continue;
        env.values[key] = value;
    }
}

void take_one(const Found& sources, const std::string& kind, const crds::KeyRef& ref,
              const std::string& as, Env& env) {
    const Values* values = look_up(sources, kind, ref.name, env);
    if (!values) return;
    const auto it = values->find(ref.key);
    if (it != values->end() && usable(it->second)) {
        env.values[as] = it->second;
    } else {
        env.missing.push_back("key \"" + ref.key + "\" of " + kind + " \"" + ref.name + "\"");
    }
}

// What the server says about the workspace; every other source may override it.
void set_platform_values(const crds::Workspace& workspace, const PlatformValues& platform,
                         Values& values) {
    values["WORKSPACE_ID"] = workspace.meta.uid;
    values["WORKSPACE_CONFIG_PATH"] = "/configs";
    values["PLUGINS_DIR"] = "/configs/plugins";
    values["TIER"] = std::to_string(workspace.spec.tier);
    values["ATELIER_CONFIGS"] = "/configs";
    values["ATELIER_RUN"] = "/run/atelier";
    values["ATELIER_WORKSPACE"] = workspace.meta.name;
    values["ATELIER_NAMESPACE"] = workspace.meta.ns;
    if (!platform.agent_port.empty()) values["ATELIER_AGENT_PORT"] = platform.agent_port;
    if (!workspace.spec.role.empty()) values["MOLECULE_AGENT_ROLE"] = workspace.spec.role;
    if (platform.platform_url.empty()) return;
    values["PLATFORM_URL"] = platform.platform_url;
    values["MOLECULE_URL"] = platform.platform_url;
}

void set_model(const crds::WorkspaceSpec& spec, Values& values) {
    const auto model = resolve_model(spec.model, values);
    if (!model) return;
    values["MODEL"] = *model;
    if (lower(spec.runtime) == "hermes") values["HERMES_DEFAULT_MODEL"] = *model;
}

// Commits of an agent carry the name of its workspace, unless its environment sets another.
void fill_git_identity(const crds::Workspace& workspace, Values& values) {
    const std::string name =
        workspace.spec.display_name.empty() ? workspace.meta.name : workspace.spec.display_name;
    const std::string email = workspace.meta.name + "@agents.atelier.dev";
    values.try_emplace("GIT_AUTHOR_NAME", name);
    values.try_emplace("GIT_COMMITTER_NAME", name);
    values.try_emplace("GIT_AUTHOR_EMAIL", email);
    values.try_emplace("GIT_COMMITTER_EMAIL", email);
}

}  // namespace

std::optional<std::string> resolve_model(const std::string& spec_model, const Values& values) {
    if (!spec_model.empty()) return spec_model;
    for (const char* name : {"MODEL", "MODEL_PROVIDER"}) {
        const auto it = values.find(name);
        if (it != values.end() && !it->second.empty()) return it->second;
    }
    return std::nullopt;
}

bool awaits_env(const crds::Workspace& workspace, Revision secret) {
    const std::string name = env_secret_name(workspace.meta.name);
    const auto& from = workspace.spec.env_from;
    const bool reads = std::any_of(from.begin(), from.end(), [&](const crds::EnvFrom& source) {
        return source.secret_ref && source.secret_ref->name == name;
    });
    return reads && secret <= revision_in(workspace.meta.annotation(annotation::env_after));
}

Env resolve_env(const crds::Workspace& workspace, const Sources& sources,
                const PlatformValues& platform) {
    Env env;
    set_platform_values(workspace, platform, env.values);
    for (const crds::EnvFrom& from : workspace.spec.env_from) {
        if (from.secret_ref) {
            const std::string& name = from.secret_ref->name;
            const bool of_template = name == env_secret_name(workspace.meta.name);
            take_all(sources.secrets, "Secret", name, of_template, env);
        }
        if (from.config_map_ref) {
            take_all(sources.config_maps, "ConfigMap", from.config_map_ref->name, false, env);
        }
    }
    for (const crds::EnvValue& one : workspace.spec.env) {
        if (one.secret_key_ref) {
            take_one(sources.secrets, "Secret", *one.secret_key_ref, one.name, env);
        } else if (one.config_map_key_ref) {
            take_one(sources.config_maps, "ConfigMap", *one.config_map_key_ref, one.name, env);
        } else {
            env.values[one.name] = one.value;
        }
    }
    set_model(workspace.spec, env.values);
    fill_git_identity(workspace, env.values);
    std::sort(env.missing.begin(), env.missing.end());
    env.missing.erase(std::unique(env.missing.begin(), env.missing.end()), env.missing.end());
    return env;
}

}  // namespace atelier::reconcilers::workspace
