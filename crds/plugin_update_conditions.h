// Conditions and reasons of a PluginUpdate (docs/reference/conditions.md lists them for users).
#pragma once

#include <string_view>

#include "crds/plugin_update.h"

namespace atelier::crds::plugin_update::reason {

// Nobody has approved or dismissed the update.
inline constexpr std::string_view awaiting_decision = "AwaitingDecision";
// Upstream has a newer version, or the version is approved already.
inline constexpr std::string_view superseded = "Superseded";
// The update was dismissed.
inline constexpr std::string_view dismissed = "Dismissed";
// The tree store does not have the files of one of the versions.
inline constexpr std::string_view waiting_for_plugin = "WaitingForPlugin";
// Installs get the version, tier by tier.
inline constexpr std::string_view rolling_out = "RollingOut";
// An install could not get the version; the rollout has stopped.
inline constexpr std::string_view install_failed = "InstallFailed";
// A workspace that had counted as updated does not stay up; the rollout has stopped.
inline constexpr std::string_view update_broke = "UpdateBroke";
// Every install that can receive the version has it.
inline constexpr std::string_view applied = "Applied";

}  // namespace atelier::crds::plugin_update::reason

namespace atelier::crds {

// Nothing more is done about an update in this phase: it was applied, dismissed or superseded, or
// it failed.
bool has_ended(UpdatePhase phase);
// The update waits for a decision, or is being rolled out.
bool is_open(const PluginUpdate& update);

}  // namespace atelier::crds
