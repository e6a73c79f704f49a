// Environment of a template: the grammar of `.env` files and the union of requirements.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "crds/org_template.h"
#include "templates/compiled.h"

namespace atelier::templates {

// KEY=VALUE per line; '#' lines and blank ones are skipped; the first '=' splits; one pair of equal
// quotes around the value is taken off; an empty key or value is ignored. `bad_lines` gets the
// numbers of lines that are none of that: values are never shown.
EnvMap parse_env(std::string_view text, std::vector<int>& bad_lines);

bool is_env_name(std::string_view name);           // [A-Za-z_][A-Za-z0-9_]*, at most 128
bool is_required_env_name(std::string_view name);  // [A-Z][A-Z0-9_]*, at most 128

// What may name a persona: letters and digits, with "_" or "-" between them, at most 100.
bool is_persona_key(std::string_view key);

// "A, B or C"
std::string text_of(const std::vector<crds::EnvRequirement>& requirements);

// Adds up what the nodes of a tree require: equal sets once; a name required by itself makes every
// group that has it superfluous, in both tiers; what is required is not also recommended. Singles
// first, then groups, each in alphabetical order.
struct EnvRequirements {
    std::vector<crds::EnvRequirement> required;
    std::vector<crds::EnvRequirement> recommended;
};
EnvRequirements united(const EnvRequirements& all);

// Some editors write one at the beginning of a file.
std::string_view without_byte_order_mark(std::string_view text);

}  // namespace atelier::templates
