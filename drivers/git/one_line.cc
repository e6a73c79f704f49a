#include "drivers/git/one_line.h"

#include "base/text.h"
#include "base/utf8.h"

namespace atelier::drivers {
namespace {

constexpr std::size_t longest = 200;

// C1 controls, line and paragraph separators, and what turns the direction of writing.
bool is_control(std::string_view character) {
    const auto at = [&](std::size_t i) { return static_cast<unsigned char>(character[i]); };
    if (character.size() == 1) return at(0) < 0x20 || at(0) == 0x7f;
    if (character.size() == 2) return at(0) == 0xC2 && at(1) < 0xA0;
    if (character.size() != 3 || at(0) != 0xE2) return false;
    if (at(1) == 0x80) return at(2) >= 0xA8 && at(2) <= 0xAE;
    return at(1) == 0x81 && at(2) >= 0xA6 && at(2) <= 0xA9;
}

}  // namespace

std::string one_line(std::string_view text) {
    const std::string valid = as_utf8(text.substr(0, 4 * longest));
    std::string out;
    for (std::size_t at = 0; at < valid.size();) {
        std::size_t end = at + 1;
        while (end < valid.size() && (static_cast<unsigned char>(valid[end]) & 0xC0) == 0x80) ++end;
        const std::string_view character = std::string_view(valid).substr(at, end - at);
        const std::string_view shown = is_control(character) ? " " : character;
        if (out.size() + shown.size() > longest) break;
        out += shown;
        at = end;
    }
    return std::string(trim(out));
}

}  // namespace atelier::drivers
