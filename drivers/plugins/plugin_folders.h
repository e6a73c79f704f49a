// The plugins folders of all workspaces.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "drivers/plugins/plugin_folder.h"
#include "drivers/runtime.h"

namespace atelier::drivers {

// Finds the folder of a workspace, by mount where the runtime shares our file system and by exec
// elsewhere. Thread-safe.
class PluginFolders {
  public:
    virtual ~PluginFolders() = default;
    // Whether the folders lie on this machine and are mounted.
    virtual bool mounted(Runtime& runtime) = 0;
    // `unit_id`: of the running unit, or empty; needed by exec only.
    virtual std::unique_ptr<PluginFolder> open(Runtime& runtime, const std::string& uid,
                                               const std::string& unit_id) = 0;
    // What a unit mounts of them; nothing where they are carried by exec.
    virtual std::vector<Mount> mounts(Runtime& runtime, const std::string& uid) = 0;
    // Makes what mounts() names, and removes what the agent of an earlier unit reported.
    virtual Result<void> prepare(Runtime& runtime, const std::string& uid) = 0;
    // Removes everything of that workspace from this machine.
    virtual Result<void> destroy(const std::string& uid) = 0;
    virtual Result<bool> exists(const std::string& uid) = 0;
};

// Below `<home>/workspaces/<uid>/`: plugins/ and run/.
std::unique_ptr<PluginFolders> home_plugin_folders(const std::filesystem::path& home);

}  // namespace atelier::drivers
