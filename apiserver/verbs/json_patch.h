// JSON Patch, RFC 6902.
#pragma once

#include "base/json.h"
#include "base/result.h"

namespace atelier::apiserver {

// Applies the operations in order; `target` is left in an unspecified state when one fails. A
// body that is no list is Code::invalid without causes (400); an operation that is malformed or
// does not fit the target has a cause (422), as kube-apiserver answers. At most 10'000 operations;
// copies may not make the target grow without bound, nor moves its depth (too_large). Costs n log n
// of the two sizes. The outcome may be deeper than json::Limits: the caller checks that before it
// stores it.
Result<void> apply_json_patch(json::Document& target, const json::Value& patch);

}  // namespace atelier::apiserver
