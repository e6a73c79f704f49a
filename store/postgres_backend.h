// PostgreSQL, for those who run one already.
#pragma once

#include <memory>
#include <string>

#include "store/backend.h"

namespace atelier::store {

// `url` is a libpq connection URI. Tables and views are made in the first schema of its
// search_path. Held by one server at a time, by an advisory lock of the session: a second one gets
// Code::unavailable. The next call replaces a lost connection.
Result<std::unique_ptr<Backend>> open_postgres(const std::string& url);

}  // namespace atelier::store
