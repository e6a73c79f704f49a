// Conditions and reasons of a PluginPolicy (docs/reference/conditions.md lists them for users).
#pragma once

#include <string_view>

namespace atelier::crds::plugin_policy::reason {

// Installs of plugins that are not listed are refused.
inline constexpr std::string_view enforced = "Enforced";
// The policy lists nothing, which allows every plugin.
inline constexpr std::string_view allows_all = "AllowsAll";

}  // namespace atelier::crds::plugin_policy::reason
