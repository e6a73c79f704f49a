// Text that must be UTF-8, whoever made it: names of files, what was cut to a length, what a
// program said.
#pragma once

#include <string>
#include <string_view>

namespace atelier {

// The text itself when it is valid UTF-8. Else each byte that belongs to no character becomes
// U+FFFD, and a character that is cut at the end is left out.
std::string as_utf8(std::string_view text);

// How many bytes from the beginning on are whole characters.
std::size_t valid_utf8_prefix(std::string_view text);

}  // namespace atelier
