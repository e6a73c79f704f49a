// A folder of this machine as a tree.
#pragma once

#include <cstdint>
#include <filesystem>

#include "base/result.h"
#include "drivers/trees/tree.h"

namespace atelier::drivers {

struct TreeLimits {
    std::int64_t bytes = 100 << 20;
    std::int64_t files = 20'000;
};

// The files of a folder, which others may change meanwhile. Folders named ".git" are left out.
// Symbolic links are kept as links and are never followed; devices, sockets and pipes are
// Code::invalid. not_found: there is no such folder. too_large: over a limit, or more than 64
// folders deep.
Result<Tree> read_tree(const std::filesystem::path& folder, const TreeLimits& limits = {});

}  // namespace atelier::drivers
