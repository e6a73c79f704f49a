// Which folders of the host a workspace may mount. A folder that a workspace can write to belongs
// to whoever can write to a template, so nothing is allowed unless the operator says so.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"

namespace atelier::drivers {

// Immutable after construction, thread-safe.
class HostFolders {
  public:
    // `home`: the server's own folder, with its keys and its database. `allowed`: absolute paths;
    // everything below them may be mounted. Empty: nothing may.
    HostFolders(std::filesystem::path home, std::vector<std::filesystem::path> allowed)
        : home_(std::move(home)), allowed_(std::move(allowed)) {}

    // The folder with links resolved, which is the path to mount. Blocks on the file system.
    // Errors: not_found: there is no such folder; invalid: it is no folder; forbidden: it is not
    // below an allowed folder, or it is the home, below it or above it. Folders are compared by
    // device and inode, so that neither a link nor a bind mount of the home leads around the rule.
    Result<std::string> check(const std::filesystem::path& folder) const;

  private:
    const std::filesystem::path home_;
    const std::vector<std::filesystem::path> allowed_;
};

}  // namespace atelier::drivers
