// Names of variables and personas, and the union of what a template requires of its environment.
// Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "crds/org_template.h"
#include "templates/compiled.h"

namespace atelier::templates {

bool is_env_name(std::string_view name);           // [A-Za-z_][A-Za-z0-9_]*, at most 128
bool is_required_env_name(std::string_view name);  // [A-Z][A-Z0-9_]*, at most 128

// Whether the text can name a persona: letters and digits, with "_" or "-" between them, at most
// 100.
bool is_persona_key(std::string_view key);

// "A, B or C"
std::string text_of(const std::vector<crds::EnvRequirement>& requirements);

// The union of what the nodes of a tree require: equal sets once; a name that is required by itself
// makes every group with that name superfluous, in both lists; what is required is not also
// recommended. Single names first, then groups, each in alphabetical order.
struct EnvRequirements {
    std::vector<crds::EnvRequirement> required;
    std::vector<crds::EnvRequirement> recommended;
};
EnvRequirements united(const EnvRequirements& all);

// The text without the byte order mark that some editors write at the beginning of a file.
std::string_view without_byte_order_mark(std::string_view text);

}  // namespace atelier::templates
