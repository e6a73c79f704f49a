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
#include "templates/lists.h"

namespace atelier::templates {

struct Defaults {
    std::string runtime;
    std::int64_t tier = 0;  // 0: none
    std::string model;
    std::vector<std::string> plugins;
    std::string initial_prompt;
    std::string idle_prompt;
    std::int64_t idle_interval_seconds = 0;  // 0: none
    Routing category_routing;
    std::vector<crds::Memory> initial_memories;
};

// Adds the requirements of the mapping `defaults` to `env`.
Defaults read_defaults(Mapping& at, EnvRequirements& env);

// The entry without its identity (key, parent, name), files and environment. Secrets that are
// written in its channels go to `channel_secrets`, by the variable that replaces them.
Node read_node(Mapping& at, const Defaults& defaults, EnvMap& channel_secrets);

// The folder of a node's files relative to the root; nullopt when the entry names none, or one
// outside of the template, which is an error.
std::optional<std::string> read_files_dir(Mapping& at);

// The plugins of the defaults, then the node's own; "!x" and "-x" remove x. In order, each once.
std::vector<std::string> united_plugins(const std::vector<std::string>& defaults,
                                        const std::vector<std::string>& own);

// Whether the text has ASCII control characters other than those in `except`.
bool has_control(std::string_view text, std::string_view except = {});

}  // namespace atelier::templates
