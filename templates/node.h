// One workspace entry of a template, and the defaults that it is merged with.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "templates/compiled.h"
#include "templates/document.h"
#include "templates/env.h"

namespace atelier::templates {

using Routing = std::map<std::string, std::vector<std::string>>;

struct Defaults {
    std::string runtime;
    std::int64_t tier = 0;  // 0: not said
    std::string model;
    std::vector<std::string> plugins;
    std::string initial_prompt;
    std::string idle_prompt;
    std::int64_t idle_interval_seconds = 0;
    Routing category_routing;
    std::vector<crds::Memory> initial_memories;
};

// Adds what `defaults` requires of the environment to `env`.
Defaults read_defaults(Mapping& at, EnvRequirements& env);

// What a mapping requires: `required_env` and `recommended_env`.
void read_env_requirements(Mapping& at, EnvRequirements& env);

// The entry without its identity (key, parent, name), files and environment. Secrets that stand in
// its channels go to `channel_secrets`, by the variable that takes their place.
Node read_node(Mapping& at, const Defaults& defaults, EnvMap& channel_secrets);

// Lists of an entry. An element that cannot be used is left out with a warning.
std::vector<crds::Schedule> read_schedules(Mapping& at, const std::string& folder);
std::vector<crds::Channel> read_channels(Mapping& at, EnvMap& secrets);
inline constexpr std::size_t most_memories = 1000;  // of one workspace
std::vector<crds::Memory> read_memories(Mapping& at, std::string_view field);
Routing read_routing(Mapping& at);

// `<name>` if it is there, else the file that `<name>_file` names, relative to `folder`.
std::string read_prompt(Mapping& at, const std::string& name, const std::string& folder);

// The folder of a node's files relative to the root; nothing when it names none or leads out.
std::optional<std::string> read_files_dir(Mapping& at);

// Defaults first, then the node's own; "!x" and "-x" take x out. Stable, without repetition.
std::vector<std::string> united_plugins(const std::vector<std::string>& defaults,
                                        const std::vector<std::string>& own);

// A host folder for /workspace, without empty parts: absolute, no "..", not a part of the system.
Result<std::string> clean_workspace_dir(std::string_view path);

// Whether the text has control characters other than those.
bool has_control(std::string_view text, std::string_view except = {});

}  // namespace atelier::templates
