// Short names of values that may not be shown. Pure.
#pragma once

#include <string>
#include <string_view>

namespace atelier {

// HMAC-SHA-256 (RFC 2104) in hexadecimal.
std::string keyed_digest(std::string_view key, std::string_view text);

// Equal values have equal fingerprints; who lacks the key cannot try values out. 8 hex digits: two
// different values look equal once in four thousand million.
std::string fingerprint(std::string_view key, std::string_view value);

}  // namespace atelier
