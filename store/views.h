// The objects as tables for people's queries (docs/store.md).
#pragma once

#include <string>
#include <vector>

#include "store/schema.h"

namespace atelier::store {

// The views over the objects, dropped and created again by each migration.
std::vector<std::string> views(Dialect dialect);

}  // namespace atelier::store
