// The status of a Workspace from what was seen. Pure.
#pragma once

#include <optional>

#include "base/clock.h"
#include "crds/workspace.h"
#include "reconcilers/workspace/plan.h"

namespace atelier::reconcilers::workspace {

namespace condition {
inline constexpr std::string_view provisioned = "Provisioned";  // a unit is there, as declared
inline constexpr std::string_view plugins_installed = "PluginsInstalled";
inline constexpr std::string_view effective = "Effective";  // agents have loaded what was delivered
inline constexpr std::string_view healthy = "Healthy";      // the unit runs
inline constexpr std::string_view secrets_available = "SecretsAvailable";
inline constexpr std::string_view not_acted_on = "NotActedOn";   // only where a field has no effect
inline constexpr std::string_view tier_limited = "TierLimited";  // only where a part is not granted
}  // namespace condition

// `seen` is what was seen after acting; `failure` is how acting ended.
crds::WorkspaceStatus report(const crds::Workspace& workspace, const Observed& observed,
                             const Plan& plan, const std::optional<Error>& failure, Instant now);

}  // namespace atelier::reconcilers::workspace
