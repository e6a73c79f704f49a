// What nearly every source includes, compiled once for all of them (cmake/room.cmake). A source
// still includes what it uses: the preset `dev` with CMAKE_DISABLE_PRECOMPILE_HEADERS shows that it
// does. Neither <filesystem> nor a header of crds/ is here: the one brings std::quoted before our
// functions of that name, and each change of the other would rebuild every room.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"
#include "base/text.h"
