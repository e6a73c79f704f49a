#include "base/random.h"

#include <fmt/format.h>
#include <sys/random.h>

#include "base/result.h"

namespace atelier {

std::uint64_t SystemRandom::next() {
    std::uint64_t value = 0;
    CHECK(getrandom(&value, sizeof value, 0) == sizeof value);
    return value;
}

std::string uuid4(Random& random) {
    const std::uint64_t a = random.next();
    const std::uint64_t b = random.next();
    return fmt::format("{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}", a >> 32, (a >> 16) & 0xffff,
                       a & 0xfff, 0x8000 | ((b >> 48) & 0x3fff), b & 0xffffffffffff);
}

std::string random_text(Random& random, std::size_t length, std::string_view alphabet) {
    const std::uint64_t size = alphabet.size();
    const std::uint64_t fair = UINT64_MAX - UINT64_MAX % size;
    std::string text;
    while (text.size() < length) {
        const std::uint64_t draw = random.next();
        if (draw < fair) text += alphabet[draw % size];
    }
    return text;
}

double unit_interval(Random& random) {
    return static_cast<double>(random.next() >> 11) * 0x1.0p-53;
}

}  // namespace atelier
