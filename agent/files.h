// Removes files below /configs that the server once declared and no longer does.
#pragma once

#include <filesystem>

#include "base/result.h"

namespace atelier::agent {

// The server writes the paths that it declares to `<configs>/.atelier-files`, one a line. Paths
// that were in that list at the agent's last start (kept in `.atelier-files.applied`) and are not
// in it now are removed, with the folders that become empty. Without a list nothing is removed.
Result<void> remove_stale_files(const std::filesystem::path& configs);

}  // namespace atelier::agent
