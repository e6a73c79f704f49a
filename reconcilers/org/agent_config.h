// The file config.yaml of a workspace, in which an agent reads what it is. Pure.
#pragma once

#include <string>

#include "crds/workspace.h"

namespace atelier::reconcilers::org {

// YAML: name, role, runtime, tier, model, max_concurrent_tasks, plugins, initial_prompt,
// idle_prompt, idle_interval_seconds and category_routing. Fields without a value are left out.
std::string agent_config(const crds::WorkspaceSpec& spec);

}  // namespace atelier::reconcilers::org
