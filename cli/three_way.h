// The patch of `apply`: as kubectl's client-side apply makes it for custom kinds, with the same
// annotation, so that both tools may be used on one object.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"

namespace atelier::cli {

inline constexpr std::string_view last_applied_annotation =
    "kubectl.kubernetes.io/last-applied-configuration";

// `object` with the annotation that records it. What it says of that annotation itself is dropped.
json::Document with_last_applied(const json::Value& object);

// A merge patch (RFC 7396) that makes of `live` what `wanted` says: sets what differs, and removes
// what the last applied form had and `wanted` no longer has. What others have added stays. `wanted`
// carries the annotation. An empty object when there is nothing to do.
json::Document three_way_patch(const json::Value& live, const json::Value& wanted);

}  // namespace atelier::cli
