// The tables and the views, for both databases. docs/store.md shows them to people.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace atelier::store {

enum class Dialect { sqlite, postgres };

// The version of the schema that this program works with.
inline constexpr int schema_version = 1;

// The statements that lead from the version before to `version`, which is at least 1.
std::vector<std::string> migration(Dialect dialect, int version);

// Whether a database of that version (0: empty) can be used; a newer one cannot.
Result<void> check_version(int found);

// Where sealed contents are.
struct SealedColumns {
    std::string_view table;
    std::string_view revision;  // of the content
    std::string_view sealed;
    std::string_view key_id;
};
inline constexpr std::array<SealedColumns, 3> sealed_columns = {
    {{"objects", "revision", "sealed", "key_id"},
     {"log", "revision", "sealed", "key_id"},
     {"log", "previous", "previous_sealed", "previous_key_id"}}};

}  // namespace atelier::store
