// A backend that keeps nothing, for tests, simulation and `atelier plan`: the cache above holds the
// objects as long as the process runs.
#pragma once

#include <memory>

#include "store/backend.h"

namespace atelier::store {

std::unique_ptr<Backend> memory_backend();

}  // namespace atelier::store
