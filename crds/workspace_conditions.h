// Conditions and reasons of a Workspace (docs/reference/conditions.md lists them for users).
#pragma once

#include <string_view>

#include "crds/workspace.h"

namespace atelier::crds::workspace::condition {

// A unit exists that was made from this very spec.
inline constexpr std::string_view provisioned = "Provisioned";
// Every plugin that the spec names is delivered at its approved version.
inline constexpr std::string_view plugins_installed = "PluginsInstalled";
// The agent reports that it has loaded every plugin at the delivered version.
inline constexpr std::string_view effective = "Effective";
// The unit runs, and its own health check does not fail.
inline constexpr std::string_view healthy = "Healthy";
// Every Secret, ConfigMap and key that the environment names exists.
inline constexpr std::string_view secrets_available = "SecretsAvailable";
// Present while the spec sets a field that has no effect in this release.
inline constexpr std::string_view not_acted_on = "NotActedOn";
// Present while two plugins of the spec have a skill of one name, of which agents load one only.
inline constexpr std::string_view skill_conflict = "SkillConflict";
// Present while the unit does not get a part of what its tier stands for.
inline constexpr std::string_view tier_limited = "TierLimited";

}  // namespace atelier::crds::workspace::condition

namespace atelier::crds::workspace::reason {

// The runtime does not answer, or it cannot be said what it has: nothing is known and nothing
// is changed.
inline constexpr std::string_view runtime_unreachable = "RuntimeUnreachable";
// This server does not have the runtime that spec.backend names.
inline constexpr std::string_view backend_missing = "BackendMissing";
// The agent runs elsewhere; nothing is run here.
inline constexpr std::string_view external = "External";
// The Workspace is being deleted.
inline constexpr std::string_view terminating = "Terminating";
// spec.desiredState is not Running, and the unit has not stopped yet.
inline constexpr std::string_view stopping = "Stopping";
// spec.desiredState is Paused: no unit runs, and the files are kept.
inline constexpr std::string_view paused = "Paused";
// spec.desiredState is Hibernated: no unit runs, and the files are kept.
inline constexpr std::string_view hibernated = "Hibernated";
// The workspace cannot be run from this spec; the message says why.
inline constexpr std::string_view invalid = "Invalid";
// The image is not in the runtime and cannot be pulled; it is looked for again each minute.
inline constexpr std::string_view image_missing = "ImageMissing";
// An action failed; the message is that of the runtime or of the store. It is tried again.
inline constexpr std::string_view failed = "Failed";
// The unit waits for Secrets, ConfigMaps or keys that do not exist.
inline constexpr std::string_view secrets_missing = "SecretsMissing";
// The unit is as declared.
inline constexpr std::string_view provisioned = "Provisioned";
// The unit has ended by itself more than once; it is started again after a wait that grows to
// five minutes.
inline constexpr std::string_view crash_loop = "CrashLoop";
// The start or restart waits for what the message names.
inline constexpr std::string_view waiting = "Waiting";
// The unit is being made.
inline constexpr std::string_view provisioning = "Provisioning";
// No agent of the workspace reports its state.
inline constexpr std::string_view nobody_reports = "NobodyReports";
// There is no unit, or it is not started.
inline constexpr std::string_view not_running = "NotRunning";
// The unit was paused in its runtime by somebody else.
inline constexpr std::string_view frozen = "Frozen";
// The unit runs.
inline constexpr std::string_view running = "Running";
// The unit ended by itself; it is started again at once.
inline constexpr std::string_view crashed = "Crashed";
// The health check of the image fails; the message has its output.
inline constexpr std::string_view unhealthy = "Unhealthy";
// The health check of the image has not passed yet.
inline constexpr std::string_view starting = "Starting";
// The kernel ended the unit because its memory was used up; it is started again.
inline constexpr std::string_view out_of_memory = "OutOfMemory";
// The unit is not attached to its network; it is attached again.
inline constexpr std::string_view network_missing = "NetworkMissing";
// The spec names no plugins.
inline constexpr std::string_view no_plugins = "NoPlugins";
// Every plugin is delivered.
inline constexpr std::string_view installed = "Installed";
// The PluginInstall of the plugin that is named is new.
inline constexpr std::string_view installing = "Installing";
// There is no Plugin of that name in the namespace.
inline constexpr std::string_view plugin_not_found = "PluginNotFound";
// The Plugin has no approved version yet.
inline constexpr std::string_view plugin_not_resolved = "PluginNotResolved";
// The agent reports that it has loaded every plugin as delivered.
inline constexpr std::string_view loaded = "Loaded";
// The agent reports another version of a plugin, or does not report it.
inline constexpr std::string_view not_loaded = "NotLoaded";
// All of the environment exists.
inline constexpr std::string_view available = "Available";
// A Secret, a ConfigMap or a key does not exist.
inline constexpr std::string_view missing = "Missing";
// The fields that the message names are stored and have no effect.
inline constexpr std::string_view not_in_this_release = "NotInThisRelease";
// The plugins that the message names have a skill of one name.
inline constexpr std::string_view same_skill = "SameSkill";
// The parts of the tier that the message names are not given to the unit.
inline constexpr std::string_view not_granted = "NotGranted";
// There is no Workspace of that name, or it is being deleted.
inline constexpr std::string_view workspace_not_found = "WorkspaceNotFound";
// The workspace is external: the server cannot write into it.
inline constexpr std::string_view unsupported = "Unsupported";
// The plugin is carried into a running unit by exec, and no unit runs.
inline constexpr std::string_view waiting_for_unit = "WaitingForUnit";
// A PluginPolicy does not allow the plugin for this workspace.
inline constexpr std::string_view denied = "Denied";
// spec.version.digest is empty.
inline constexpr std::string_view no_version = "NoVersion";
// Writing the files into the plugins folder failed.
inline constexpr std::string_view delivery_failed = "DeliveryFailed";
// The tree store does not have the files of the version.
inline constexpr std::string_view waiting_for_plugin = "WaitingForPlugin";
// The files are being written.
inline constexpr std::string_view delivering = "Delivering";

}  // namespace atelier::crds::workspace::reason

namespace atelier::crds {

// Ready is True for the spec that is there now, and the workspace is not being deleted.
bool is_ready(const Workspace& workspace);
// The unit ran when it was last looked at.
bool is_healthy(const Workspace& workspace);

}  // namespace atelier::crds
