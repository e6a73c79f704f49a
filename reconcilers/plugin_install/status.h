// The status of a PluginInstall, and when to observe it again, from what is observed. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "crds/plugin_install.h"
#include "reconcilers/plugin_install/plan.h"

namespace atelier::reconcilers::plugin_install {

// `observed` was made after acting, `done` is what was carried out, and `failure` how acting ended.
crds::PluginInstallStatus status(const crds::PluginInstall& install, const Observed& observed,
                                 const Plan& done, const std::optional<Error>& failure,
                                 Instant now);

// When nothing may come that wakes the reconciler. While an agent that runs has not loaded what was
// delivered: after a quarter of the time it has taken so far, from 250 ms up to 5 s, after two
// minutes without that bound, and after half an hour no more: the resync is enough then. While the
// files of the version are missing: in 10 s. Otherwise nullopt.
std::optional<Instant> next_wake(const crds::PluginInstall& install, const Observed& observed,
                                 const crds::PluginInstallStatus& status, Instant now);

// The digest that the agent's status.json names for a plugin; empty when it does not name it. The
// text is hostile input. invalid: it is not of the form that agents write.
Result<std::string> loaded_digest(std::string_view agent_status, const std::string& plugin);

}  // namespace atelier::reconcilers::plugin_install
