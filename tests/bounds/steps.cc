#include "steps.h"

#include <cstddef>
#include <cstring>

namespace {

std::uint64_t steps = 0;  // tests run on one thread

// The sanitizers call these functions themselves, before they are ready.
#define NOT_SANITIZED __attribute__((no_sanitize("address", "undefined", "thread")))

NOT_SANITIZED void add_bytes(std::size_t count) {
    steps += count / 16;
}

}  // namespace

extern "C" {

void __sanitizer_cov_trace_pc();  // called by the compiled code, at each basic block
NOT_SANITIZED void __sanitizer_cov_trace_pc() {
    ++steps;
}

// These take the place of the library's, which are not compiled to be counted. They are simple on
// purpose: what counts is how often they are called, and with how much.
NOT_SANITIZED void* memmove(void* to, const void* from, std::size_t count) {
    add_bytes(count);
    auto* target = static_cast<volatile unsigned char*>(to);
    const auto* source = static_cast<const volatile unsigned char*>(from);
    if (target < source) {
        for (std::size_t i = 0; i < count; ++i) target[i] = source[i];
    } else {
        for (std::size_t i = count; i-- > 0;) target[i] = source[i];
    }
    return to;
}

NOT_SANITIZED int memcmp(const void* a, const void* b, std::size_t count) {
    const auto* left = static_cast<const volatile unsigned char*>(a);
    const auto* right = static_cast<const volatile unsigned char*>(b);
    for (std::size_t i = 0; i < count; ++i) {
        if (left[i] == right[i]) continue;
        add_bytes(i);
        return left[i] < right[i] ? -1 : 1;
    }
    add_bytes(count);
    return 0;
}

}  // extern "C"

namespace atelier::bounds {

std::uint64_t steps_of(const std::function<void()>& call) {
    const std::uint64_t before = steps;
    call();
    return steps - before;
}

}  // namespace atelier::bounds
