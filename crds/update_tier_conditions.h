// Conditions and reasons of a UpdateTier (docs/reference/conditions.md lists them for users).
#pragma once

#include <string_view>

namespace atelier::crds::update_tier::reason {

// The members of the tier were counted.
inline constexpr std::string_view counted = "Counted";

}  // namespace atelier::crds::update_tier::reason
