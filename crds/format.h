// The formats of strings and numbers that a schema may ask for. Inside crds/ only.
#pragma once

#include <string_view>

#include "base/json.h"

namespace atelier::crds {

// True when the value has the format, or when the format is not known (as OpenAPI wants).
bool has_format(const json::Value& value, std::string_view format);

}  // namespace atelier::crds
