#include "base/fingerprint.h"

#include "base/digest.h"

namespace atelier {
namespace {

constexpr std::size_t block = 64;

std::string bytes_of_hex(const std::string& hex) {
    const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
    std::string bytes;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
        bytes += static_cast<char>(digit(hex[i]) * 16 + digit(hex[i + 1]));
    }
    return bytes;
}

}  // namespace

std::string keyed_digest(std::string_view key, std::string_view text) {
    std::string whole(key);
    if (whole.size() > block) whole = bytes_of_hex(sha256_hex(whole));
    whole.resize(block, '\0');
    std::string inner = whole;
    std::string outer = whole;
    for (char& c : inner) c = static_cast<char>(c ^ 0x36);
    for (char& c : outer) c = static_cast<char>(c ^ 0x5c);
    const std::string first = Sha256().update(inner).update(text).hex();
    return Sha256().update(outer).update(bytes_of_hex(first)).hex();
}

std::string fingerprint(std::string_view key, std::string_view value) {
    return keyed_digest(key, value).substr(0, 8);
}

}  // namespace atelier
