// The status of a PluginInstall and when to look again, from what was seen. Pure.
#pragma once

#include <optional>
#include <string>

#include "base/clock.h"
#include "crds/plugin_install.h"
#include "reconcilers/plugin_install/plan.h"

namespace atelier::reconcilers::plugin_install {

namespace condition {
inline constexpr std::string_view delivered = "Delivered";
inline constexpr std::string_view effective = "Effective";  // loaded is what was delivered
inline constexpr std::string_view denied = "Denied";        // only while a policy denies it
inline constexpr std::string_view inert = "Inert";          // only while the runtime does not fit
}  // namespace condition

// `seen` is what was seen after acting, `plan` what was done, `failure` how acting ended.
crds::PluginInstallStatus report(const crds::PluginInstall& install, const Observed& observed,
                                 const Plan& plan, const std::optional<Error>& failure,
                                 Instant now);

// While an agent that runs has not yet loaded what was delivered: after a quarter of a second,
// later after a quarter of the time it has taken so far, up to five seconds; after two minutes once
// a minute. While the files of the version are missing: in ten seconds. Otherwise nothing: whoever
// changes something wakes us.
std::optional<Instant> next_look(const crds::PluginInstall& install, const Observed& observed,
                                 const crds::PluginInstallStatus& status, Instant now);

// Nothing more will come of it without a change: it is delivered, or it failed and says why. A
// workspace waits for this before it starts for the first time or restarts.
bool is_settled(const crds::PluginInstall& install);

// The digest that the agent's status.json names for a plugin; empty when it does not name it.
Result<std::string> loaded_digest(std::string_view agent_status, const std::string& plugin);

}  // namespace atelier::reconcilers::plugin_install
