// The embedded database, and the default.
#pragma once

#include <filesystem>
#include <memory>

#include "store/backend.h"

namespace atelier::store {

// Opens or makes the file (mode 0600, its folder 0700). Held by one server at a time: a second one
// gets Code::unavailable. Other programs may read it.
Result<std::unique_ptr<Backend>> open_sqlite(const std::filesystem::path& path);

}  // namespace atelier::store
