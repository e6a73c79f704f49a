// The workspaces that an Org should have, computed from the compiled template, the Org's spec and
// the environment that was observed. Pure.
#pragma once

#include <string>
#include <vector>

#include "crds/org.h"
#include "crds/workspace.h"
#include "reconcilers/org/observe.h"

namespace atelier::reconcilers {

namespace annotation {
// The node's place on the canvas of a user interface: x and y, as "100,80.5".
inline constexpr std::string_view canvas = "atelier.dev/canvas";
}  // namespace annotation

namespace org {

struct DesiredWorkspace {
    std::string name;
    crds::Meta meta;  // name, namespace, labels, annotations, owner
    crds::WorkspaceSpec spec;
    templates::EnvMap env;  // the template's .env layers, merged; empty: no Secret is made
    std::string problem;    // why it can be neither created nor updated; empty: it can
};

struct Desired {
    std::vector<DesiredWorkspace> workspaces;  // parents first
    std::set<std::string> kept;  // names under `spawning: false`: neither created nor pruned
    std::vector<std::string> skipped_channels;  // "telegram of acme-pm needs CHAT_ID"
    std::vector<std::string> missing_personas;  // "acme-pm: there is no Secret persona-pm"
};

// `compiled` is usually *observed.compiled; only the environment is read from `observed`.
Desired desired_of(const crds::Org& org, const templates::CompiledOrg& compiled,
                   const Observed& observed);

// "<org>-<key>", which may be too long for the name of an object: then `problem` says so.
std::string workspace_name(const std::string& org, const std::string& key);

}  // namespace org
}  // namespace atelier::reconcilers
