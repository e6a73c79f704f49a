// Conditions and reasons of a PluginInstall (docs/reference/conditions.md lists them for users).
#pragma once

#include <string_view>

#include "crds/plugin_install.h"

namespace atelier::crds::plugin_install::condition {

// The files of spec.version are complete in the plugins folder of the workspace, and their
// digest was verified.
inline constexpr std::string_view delivered = "Delivered";
// The agent reports that it has loaded the version that is delivered.
inline constexpr std::string_view effective = "Effective";
// Present while a PluginPolicy does not allow the plugin for the workspace.
inline constexpr std::string_view denied = "Denied";
// Present while the plugin does not name the runtime of the workspace.
inline constexpr std::string_view inert = "Inert";

}  // namespace atelier::crds::plugin_install::condition

namespace atelier::crds::plugin_install::reason {

// The files are complete and verified.
inline constexpr std::string_view delivered = "Delivered";
// There is no Workspace of that name, or it is being deleted.
inline constexpr std::string_view workspace_not_found = "WorkspaceNotFound";
// Another PluginInstall for the same workspace and plugin is the one that counts.
inline constexpr std::string_view duplicate = "Duplicate";
// The workspace is external: the server cannot write into it.
inline constexpr std::string_view unsupported = "Unsupported";
// This server does not have the runtime that spec.backend names.
inline constexpr std::string_view backend_missing = "BackendMissing";
// The runtime does not answer, so nothing is known and nothing is changed.
inline constexpr std::string_view runtime_unreachable = "RuntimeUnreachable";
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
// No agent of the workspace reports what it has loaded.
inline constexpr std::string_view nobody_reports = "NobodyReports";
// The workspace does not run.
inline constexpr std::string_view not_running = "NotRunning";
// The agent reports the digest that is delivered.
inline constexpr std::string_view loaded = "Loaded";
// The agent reports another digest, or does not report the plugin.
inline constexpr std::string_view not_loaded = "NotLoaded";
// The PluginPolicy that the message names does not list the plugin.
inline constexpr std::string_view not_allowed = "NotAllowed";
// The plugin lists runtimes, and that of the workspace is not among them: its files are there
// and may do nothing.
inline constexpr std::string_view runtime_not_supported = "RuntimeNotSupported";

}  // namespace atelier::crds::plugin_install::reason

namespace atelier::crds {

// Nothing more will come of the install without a change: it is delivered, or it failed and its
// conditions say why. A workspace waits for this before it starts for the first time or restarts.
bool is_settled(const PluginInstall& install);
// The agent reports that it has loaded the very version that spec.version names.
bool is_effective(const PluginInstall& install);
// The version that spec.version names is delivered.
bool is_delivered(const PluginInstall& install);

}  // namespace atelier::crds
