// The lists of a workspace entry: schedules, channels, memories, routing and requirements. An
// element that cannot be used is left out with a warning; too many elements are an error.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "templates/compiled.h"
#include "templates/document.h"
#include "templates/env.h"

namespace atelier::templates {

// Category to the names of workspaces.
using Routing = std::map<std::string, std::vector<std::string>>;

// Adds `required_env` and `recommended_env` of the mapping to `env`.
void read_env_requirements(Mapping& at, EnvRequirements& env);

// `folder`: what the files of prompts are relative to.
std::vector<crds::Schedule> read_schedules(Mapping& at, const std::string& folder);
// Secrets that are written in the settings go to `secrets`, by the variable that replaces them.
std::vector<crds::Channel> read_channels(Mapping& at, EnvMap& secrets);
inline constexpr std::size_t most_memories = 1000;  // of one workspace
std::vector<crds::Memory> read_memories(Mapping& at, std::string_view field);
// A category with an empty list removes one of the defaults.
Routing read_routing(Mapping& at);

}  // namespace atelier::templates
