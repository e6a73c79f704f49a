// A database that forgets: for tests, simulation and `atelier plan`. The cache holds the objects.
#pragma once

#include <memory>

#include "store/backend.h"

namespace atelier::store {

std::unique_ptr<Backend> memory_backend();

}  // namespace atelier::store
