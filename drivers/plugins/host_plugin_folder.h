// The plugins folder on this machine's disk, where the runtime mounts it.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/descriptor.h"
#include "base/result.h"
#include "drivers/plugins/plugin_folder.h"

namespace atelier::drivers {

struct HostPluginFolderOptions {
    std::filesystem::path plugins;
    std::filesystem::path run;  // where the agent reports; its content is the workspace's
    // Called before each step that changes the disk; for tests that stop there.
    std::function<void(std::string_view step)> before_step = {};
    // False: as on a file system that cannot exchange two folders.
    bool exchange = true;
};
std::unique_ptr<PluginFolder> host_plugin_folder(HostPluginFolderOptions options);

// Gives a file or folder to the owner of plugins. Only root can do that: without it, success, and
// the owner stays the server's user. `name` is for the message.
Result<void> give_to_plugin_owner(const Descriptor& thing, const std::string& name);

}  // namespace atelier::drivers
