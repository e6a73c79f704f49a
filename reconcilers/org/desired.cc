#include "reconcilers/org/desired.h"

#include <fmt/format.h>

#include "base/text.h"
#include "reconcilers/environment/persona.h"
#include "reconcilers/environment/workspace_env.h"
#include "reconcilers/org/agent_config.h"
#include "reconcilers/org/expand.h"
#include "templates/channel.h"
#include "templates/workspace_dir.h"

namespace atelier::reconcilers::org {
namespace {

constexpr std::string_view default_runtime = "langgraph";

std::string first_of(std::string_view a, std::string_view b, std::string_view c = {}) {
    if (!a.empty()) return std::string(a);
    return std::string(b.empty() ? c : b);
}

class Builder {
  public:
    Builder(const crds::Org& org, const templates::CompiledOrg& compiled, const Observed& observed)
        : org_(org), compiled_(compiled), observed_(observed) {}

    Desired build() {
        for (const templates::Node& node : compiled_.nodes)
            out_.workspaces.push_back(workspace_of(node));
        for (const std::string& key : compiled_.skipped) {
            out_.kept.insert(workspace_name(org_.meta.name, key));
        }
        return std::move(out_);
    }

  private:
    DesiredWorkspace workspace_of(const templates::Node& node) {
        DesiredWorkspace workspace;
        workspace.name = workspace_name(org_.meta.name, node.key);
        if (!is_dns_label(workspace.name)) {
            workspace.problem = fmt::format(
                "\"{}\" cannot be the name of a workspace: shorten the Org's name or the `key`",
                workspace.name);
        }
        set_env(node, workspace);
        set_meta(node, workspace);
        set_spec(node, workspace);
        return workspace;
    }

    void set_meta(const templates::Node& node, DesiredWorkspace& workspace) const {
        workspace.meta.name = workspace.name;
        workspace.meta.ns = org_.meta.ns;
        workspace.meta.labels[std::string(crds::label::managed)] = "true";
        workspace.meta.labels[std::string(crds::label::org)] = org_.meta.name;
        if (node.canvas) {
            workspace.meta.annotations[std::string(annotation::canvas)] =
                fmt::format("{},{}", node.canvas->x, node.canvas->y);
        }
        workspace.meta.owners.push_back(org_.as_owner());
    }

    void set_env(const templates::Node& node, DesiredWorkspace& workspace) const {
        const auto own = observed_.layers.nodes.find(node.key);
        if (own != observed_.layers.nodes.end()) workspace.env = own->second;
        workspace.env.insert(observed_.layers.org.begin(), observed_.layers.org.end());
    }

    void set_spec(const templates::Node& node, DesiredWorkspace& workspace) {
        crds::WorkspaceSpec& spec = workspace.spec;
        const crds::OrgDefaults& defaults = org_.spec.defaults;
        spec.org = org_.meta.name;
        spec.workspace_key = node.key;
        if (!node.parent.empty()) spec.parent = workspace_name(org_.meta.name, node.parent);
        spec.display_name = node.name;
        spec.role = node.role;
        spec.runtime = first_of(node.runtime, defaults.runtime, default_runtime);
        spec.tier = node.tier;
        spec.image = defaults.image;
        spec.model = first_of(node.model, defaults.model);
        spec.backend = node.external ? "external" : defaults.backend;
        spec.command = defaults.command;
        spec.plugins = node.plugins;
        spec.schedules = node.schedules;
        const Persona persona = take_persona(node, workspace.name);
        spec.channels = channels_of(node, workspace, persona);
        spec.initial_memories = node.initial_memories;
        spec.initial_prompt = node.initial_prompt;
        spec.idle_prompt = node.idle_prompt;
        spec.idle_interval_seconds = node.idle_interval_seconds;
        spec.max_concurrent_tasks = node.max_concurrent_tasks;
        spec.category_routing = node.category_routing;
        const auto tier = org_.spec.update_tiers.find(node.key);
        spec.update_tier =
            first_of(tier == org_.spec.update_tiers.end() ? std::string() : tier->second,
                     defaults.update_tier, spec.update_tier);
        spec.url = node.url;
        spec.workspace_access = node.workspace_access;
        spec.workspace_dir = workspace_dir_of(node, workspace);
        spec.env_from = org_.spec.env_from;
        if (persona.use) {
            spec.env_from.push_back(
                {.secret_ref = crds::LocalRef{persona.secret}, .config_map_ref = std::nullopt});
        }
        if (!node.env_names.empty() || !compiled_.env_names.empty()) {
            spec.env_from.push_back({.secret_ref = crds::LocalRef{env_secret_name(workspace.name)},
                                     .config_map_ref = std::nullopt});
        }
        set_files(node, spec);
    }

    struct Persona {
        bool use = false;  // as a source of environment
        std::string secret;
        const std::set<std::string>* names = nullptr;  // of the variables it gives
    };

    // A persona whose Secret is missing is reported. A workspace that names its persona itself
    // reads the Secret all the same, and so waits for it; any other starts without.
    Persona take_persona(const templates::Node& node, const std::string& workspace) {
        const auto wanted = persona_of(node, org_.spec);
        if (!wanted) return {};
        if (wanted->secret.empty()) {
            out_.missing_personas.push_back(
                fmt::format("{}: the last part of files_dir \"{}\" cannot name a persona: set "
                            "`persona`",
                            workspace, node.files_dir));
            return {};
        }
        const auto found = observed_.personas.find(wanted->secret);
        if (found != observed_.personas.end()) return {true, wanted->secret, &found->second};
        out_.missing_personas.push_back(
            fmt::format("{}: there is no Secret {}", workspace, wanted->secret));
        return {wanted->required, wanted->secret, nullptr};
    }

    // Files refer to the node's own tree instead of the whole artifact, so that an edit elsewhere
    // in the template leaves this spec as it is.
    static void set_files(const templates::Node& node, crds::WorkspaceSpec& spec) {
        crds::WorkspaceFile config;
        config.path = "config.yaml";
        config.content = agent_config(spec);
        spec.files.push_back(std::move(config));
        for (const templates::NodeFile& file : node.files) {
            crds::WorkspaceFile out;
            out.path = file.path;
            out.artifact = crds::ArtifactRef{node.files_digest, file.path};
            out.sha256 = file.sha256;
            out.executable = file.executable;
            spec.files.push_back(std::move(out));
        }
    }

    std::optional<std::string> parameter(const std::string& name) const {
        const auto it = org_.spec.parameters.find(name);
        if (it == org_.spec.parameters.end()) return std::nullopt;
        return it->second;
    }

    std::string workspace_dir_of(const templates::Node& node, DesiredWorkspace& workspace) const {
        std::vector<std::string> unknown;
        std::string path = expand(
            node.workspace_dir,
            [&](const std::string& name) -> std::optional<std::string> {
                const auto value = workspace.env.find(name);
                if (value != workspace.env.end() && !value->second.empty()) return value->second;
                return parameter(name);
            },
            unknown);
        const bool mounted = node.workspace_access != crds::WorkspaceAccess::none;
        if (!mounted && !unknown.empty()) return {};
        if (!unknown.empty()) {
            workspace.problem = fmt::format(
                "workspace_dir needs {}: set it in spec.parameters of the Org, or in a .env file "
                "of "
                "the template",
                join(unknown, ", "));
        } else if (!path.empty()) {
            auto cleaned = templates::clean_workspace_dir(path);
            if (cleaned) return *std::move(cleaned);
            workspace.problem = cleaned.error().message;
        }
        return path;
    }

    // Expands the Org's parameters. A reference to a variable of the workspace's environment stays
    // as it is: its value is secret, and anybody who reads a Workspace sees its spec. For the same
    // reason a secret setting takes no parameter. A channel that refers to anything else is left
    // out and reported.
    std::vector<crds::Channel> channels_of(const templates::Node& node,
                                           const DesiredWorkspace& workspace,
                                           const Persona& persona) {
        std::vector<crds::Channel> channels;
        for (crds::Channel channel : node.channels) {
            std::vector<std::string> missing;
            for (auto& [name, value] : channel.config) {
                const bool secret = templates::is_secret_setting(name);
                std::vector<std::string> unknown;
                value = expand(
                    value,
                    [&](const std::string& wanted) {
                        return secret ? std::nullopt : parameter(wanted);
                    },
                    unknown);
                for (std::string& other : unknown) {
                    if (is_given(other, workspace, persona)) continue;
                    if (secret && parameter(other)) other += " (in a Secret, not in parameters)";
                    missing.push_back(std::move(other));
                }
            }
            const std::string why = templates::why_unusable(channel);
            if (missing.empty() && why.empty()) {
                channels.push_back(std::move(channel));
            } else if (missing.empty()) {
                out_.skipped_channels.push_back(
                    fmt::format("{} of {}: {}", channel.type, workspace.name, why));
            } else {
                out_.skipped_channels.push_back(fmt::format("{} of {} needs {}", channel.type,
                                                            workspace.name, join(missing, ", ")));
            }
        }
        return channels;
    }

    bool is_given(const std::string& name, const DesiredWorkspace& workspace,
                  const Persona& persona) const {
        const auto own = workspace.env.find(name);
        return (own != workspace.env.end() && !own->second.empty()) ||
               observed_.env_from_names.contains(name) ||
               (persona.names && persona.names->contains(name));
    }

    const crds::Org& org_;
    const templates::CompiledOrg& compiled_;
    const Observed& observed_;
    Desired out_;
};

}  // namespace

Desired desired_of(const crds::Org& org, const templates::CompiledOrg& compiled,
                   const Observed& observed) {
    return Builder(org, compiled, observed).build();
}

std::string workspace_name(const std::string& org, const std::string& key) {
    return org + "-" + key;
}

}  // namespace atelier::reconcilers::org
