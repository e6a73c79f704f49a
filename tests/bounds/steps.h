// Counts the work of code that is compiled with -fsanitize-coverage=trace-pc: one step for each
// basic block, and one for each 16 bytes that it moves, copies, compares or searches. Unlike time,
// the count is the same on a busy machine.
#pragma once

#include <cstdint>
#include <functional>

namespace atelier::bounds {

// The steps of one call.
std::uint64_t steps_of(const std::function<void()>& call);

}  // namespace atelier::bounds
