// The name of the person who runs the command, as it is recorded in objects.
#pragma once

#include <string>
#include <string_view>

#include "base/environment.h"

namespace atelier::cli {

// The first of $ATELIER_USER, $USER and $LOGNAME that is not empty, else "unknown".
std::string user_name(const Environment& environment);

// Annotations beside spec.suspend that record who suspended the object, and why.
inline constexpr std::string_view suspended_by_annotation = "atelier.dev/suspended-by";
inline constexpr std::string_view suspend_reason_annotation = "atelier.dev/suspend-reason";

}  // namespace atelier::cli
