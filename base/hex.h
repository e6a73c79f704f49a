// Identifiers that are written in lower-case hexadecimal digits.
#pragma once

#include <string_view>

namespace atelier {

// Whether `text` is exactly `length` of the digits 0-9 and a-f.
bool is_lower_hex(std::string_view text, std::size_t length);
// Whether `text` is the whole id of a git commit, in the form that git writes: 40 such digits.
// People may write capitals, too: pass lower(text) for their input.
bool is_full_commit(std::string_view text);

}  // namespace atelier
