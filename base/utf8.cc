#include "base/utf8.h"

#include "base/text.h"

namespace atelier {
namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";

// How many bytes a character has that begins so; 0: none does.
std::size_t length_of(char lead) {
    const auto byte = static_cast<unsigned char>(lead);
    if (byte < 0x80) return 1;
    if (byte >= 0xC2 && byte < 0xE0) return 2;
    if (byte >= 0xE0 && byte < 0xF0) return 3;
    if (byte >= 0xF0 && byte < 0xF5) return 4;
    return 0;
}

bool only_continues(std::string_view text) {
    for (const char c : text) {
        if ((static_cast<unsigned char>(c) & 0xC0) != 0x80) return false;
    }
    return true;
}

}  // namespace

std::size_t valid_utf8_prefix(std::string_view text) {
    if (is_valid_utf8(text)) return text.size();
    std::size_t good = 0;
    while (good < text.size()) {
        const std::size_t length = length_of(text[good]);
        if (length == 0 || !is_valid_utf8(text.substr(good, length))) break;
        good += length;
    }
    return good;
}

std::string as_utf8(std::string_view text) {
    if (is_valid_utf8(text)) return std::string(text);
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const std::size_t length = length_of(text.front());
        if (length > text.size() && only_continues(text.substr(1))) break;
        const std::string_view character = text.substr(0, length);
        if (length > 0 && is_valid_utf8(character)) {
            out += character;
            text.remove_prefix(length);
        } else {
            out += replacement;
            text.remove_prefix(1);
        }
    }
    return out;
}

}  // namespace atelier
