// What a plain scalar of YAML means. Inside crds/ only.
#pragma once

#include <string_view>

#include "base/json.h"
#include "base/result.h"

namespace atelier::crds {

enum class ScalarType { null, boolean, integer, floating, not_finite, text };

// By the core schema of YAML 1.2.
ScalarType core_type(std::string_view plain);

// The number that a scalar of type integer or floating says; an Error when JSON cannot hold it.
Result<json::Value> number_of(std::string_view plain, ScalarType type);

// True when some YAML reader, 1.1 or 1.2, would not read the plain scalar as this text.
bool is_ambiguous(std::string_view plain);

}  // namespace atelier::crds
