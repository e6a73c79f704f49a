// The environment of a workspace: what the server sets, its env sources and its own values. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "crds/workspace.h"

namespace atelier::reconcilers::workspace {

using Values = std::map<std::string, std::string>;

// The Secrets and ConfigMaps that a spec names, by name; nullopt: none of that name exists.
struct Sources {
    std::map<std::string, std::optional<Values>> secrets;
    std::map<std::string, std::optional<Values>> config_maps;
};

struct Env {
    Values values;
    std::vector<std::string> missing;  // "Secret acme-env", "key TOKEN of Secret acme-env", …
};

struct PlatformValues {
    std::string platform_url;
    std::string agent_port;  // empty: the agent's own default
};

// Whether the Org of this workspace is about to write a newer environment than that of its Secret,
// whose revision is `secret` (workspace_env.h).
bool awaits_env(const crds::Workspace& workspace, Revision secret);

// Later sources win: what the server sets, env_from in its order, env. Then the model, and a git
// identity for those of the four variables that no source sets.
Env resolve_env(const crds::Workspace& workspace, const Sources& sources,
                const PlatformValues& platform);

// The model of the spec, else MODEL, else MODEL_PROVIDER, else nullopt. The name of a provider is
// no model, but templates of the field set only that.
std::optional<std::string> resolve_model(const std::string& spec_model, const Values& values);

}  // namespace atelier::reconcilers::workspace
