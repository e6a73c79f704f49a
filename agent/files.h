// Files below /configs that were declared once and are no longer.
#pragma once

#include <filesystem>

#include "base/result.h"

namespace atelier::agent {

// The server writes the paths it declares to `<configs>/.atelier-files`, one a line. What stood
// there at our last start (kept in `.atelier-files.applied`) and does not now is removed, with
// folders that are empty then. Without a list nothing is removed.
Result<void> remove_stale_files(const std::filesystem::path& configs);

}  // namespace atelier::agent
