// The tables and the views, for both databases. docs/store.md shows them to people.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace atelier::store {

enum class Dialect { sqlite, postgres };

// The version of the schema that this program works with.
inline constexpr int schema_version = 1;

// The statements that lead from the version before to `version`, which is at least 1.
std::vector<std::string> migration(Dialect dialect, int version);

// The views over the objects, dropped and made anew with each migration.
std::vector<std::string> views(Dialect dialect);

// Whether a database of that version (0: empty) can be used; a newer one cannot.
Result<void> check_version(int found);

}  // namespace atelier::store
