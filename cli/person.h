// Who is at the keyboard, and what stays of it in an object.
#pragma once

#include <string>
#include <string_view>

#include "base/environment.h"

namespace atelier::cli {

// For "decided by": $ATELIER_USER, $USER, $LOGNAME or "unknown".
std::string user_name(const Environment& environment);

// Beside spec.suspend: who, and why.
inline constexpr std::string_view suspended_by_annotation = "atelier.dev/suspended-by";
inline constexpr std::string_view suspend_reason_annotation = "atelier.dev/suspend-reason";

}  // namespace atelier::cli
