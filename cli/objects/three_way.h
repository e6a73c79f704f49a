// The patch that `apply` sends. It is the one that kubectl's client-side apply makes for custom
// kinds (a JSON merge patch from three states), with kubectl's annotation, so that a person may use
// both tools on one object.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"

namespace atelier::cli {

inline constexpr std::string_view last_applied_annotation =
    "kubectl.kubernetes.io/last-applied-configuration";

// A copy of `object` whose annotation records the object. The value that `object` itself has for
// the annotation is not part of the record.
json::Document with_last_applied(const json::Value& object);

// The merge patch (RFC 7396) from `live` to `wanted`: it sets the members that differ, and removes
// those that the last applied manifest had and `wanted` no longer has. Members that others added to
// `live` stay. `wanted` comes from with_last_applied(). An empty object when nothing differs.
json::Document three_way_patch(const json::Value& live, const json::Value& wanted);

}  // namespace atelier::cli
