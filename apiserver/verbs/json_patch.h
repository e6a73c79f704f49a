// JSON Patch, RFC 6902.
#pragma once

#include "base/json.h"
#include "base/result.h"

namespace atelier::apiserver {

// Applies the operations in order; `target` is left in an unspecified state when one fails. A
// malformed patch is Code::invalid without causes, one that does not fit the target has a cause.
// At most 10'000 operations; copies may not make the target grow without bound (too_large).
Result<void> apply_json_patch(json::Document& target, const json::Value& patch);

}  // namespace atelier::apiserver
