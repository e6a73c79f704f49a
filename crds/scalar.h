// What a plain scalar of YAML means. Inside crds/ only.
#pragma once

#include <string_view>

namespace atelier::crds {

enum class ScalarType { null, boolean, integer, floating, not_finite, text };

// By the core schema of YAML 1.2.
ScalarType core_type(std::string_view plain);

// True when some YAML reader, 1.1 or 1.2, would not read the plain scalar as this text.
bool is_ambiguous(std::string_view plain);

}  // namespace atelier::crds
