#include "reconcilers/common/text.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace atelier::reconcilers {
namespace {

constexpr std::size_t short_length = 7;

bool continues_a_character(char c) {
    return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

}  // namespace

std::string some_of(const std::vector<std::string>& all, std::size_t most,
                    std::string_view separator) {
    const auto end = all.begin() + static_cast<std::ptrdiff_t>(std::min(all.size(), most));
    std::string text = join({all.begin(), end}, separator);
    if (all.size() > most) text += fmt::format(" and {} more", all.size() - most);
    return text;
}

std::string cut_utf8(std::string_view text, std::size_t most) {
    if (text.size() <= most) return std::string(text);
    while (most > 0 && continues_a_character(text[most])) --most;
    return std::string(text.substr(0, most));
}

std::string short_id(const crds::PluginVersion& version) {
    return (version.commit.empty() ? version.digest : version.commit).substr(0, short_length);
}

std::string short_digest(std::string_view digest) {
    return digest.empty() ? "nothing" : std::string(digest.substr(0, short_length));
}

}  // namespace atelier::reconcilers
