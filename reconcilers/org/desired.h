// The workspaces that an Org should have, made of the compiled template and the Org's spec. Pure.
#pragma once

#include <string>
#include <vector>

#include "crds/org.h"
#include "crds/workspace.h"
#include "reconcilers/environment/workspace_env.h"
#include "reconcilers/org/observed.h"

namespace atelier::reconcilers {

namespace annotation {
inline constexpr std::string_view canvas = "atelier.dev/canvas";  // "100,80.5"
}  // namespace annotation

struct DesiredWorkspace {
    std::string name;
    crds::Meta meta;  // name, namespace, labels, annotations, owner
    crds::WorkspaceSpec spec;
    templates::EnvMap env;  // of the template's layers, merged; empty: no Secret
    std::string problem;    // not empty: it cannot be made or changed, and this is why
};

struct Desired {
    std::vector<DesiredWorkspace> workspaces;  // parents first
    std::set<std::string> kept;  // names under `spawning: false`: neither made nor pruned
    std::vector<std::string> skipped_channels;  // "acme-pm telegram: CHAT_ID is not set"
    std::vector<std::string> missing_personas;  // "acme-pm: there is no Secret persona-pm"
};

Desired desired_of(const crds::Org& org, const templates::CompiledOrg& compiled,
                   const OrgObserved& observed);

std::string workspace_name(const std::string& org, const std::string& key);

// config.yaml of a workspace: what an agent reads about itself.
std::string render_config(const crds::WorkspaceSpec& spec);

}  // namespace atelier::reconcilers
