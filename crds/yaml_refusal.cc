#include "crds/yaml_refusal.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "base/utf8.h"

namespace atelier::crds {
namespace {

Position position_at(std::string_view text, std::size_t offset) {
    Position at{1, 1};
    for (const char c : text.substr(0, offset)) {
        ++at.column;
        if (c == '\n') at = {at.line + 1, 1};
    }
    return at;
}

// Where the first byte is that is not UTF-8. No character goes over the end of a line.
Position not_utf8_at(std::string_view text) {
    std::size_t begin = 0;
    while (true) {
        const std::size_t end = std::min(text.find('\n', begin), text.size());
        const std::string_view line = text.substr(begin, end - begin);
        if (!is_valid_utf8(line)) {
            const std::size_t good = valid_utf8_prefix(line);
            return position_at(text, begin + good);
        }
        if (end == text.size()) return {};
        begin = end + 1;
    }
}

}  // namespace

std::optional<YamlRefusal> check_yaml_bytes(std::string_view text, const YamlLimits& limits) {
    if (text.size() > limits.bytes) {
        return YamlRefusal{
            Code::too_large,
            {},
            fmt::format("{} bytes of YAML; at most {} are read", text.size(), limits.bytes)};
    }
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        if (byte >= 0x20 && byte != 0x7f) continue;
        if (byte == '\t' || byte == '\n' || byte == '\r') continue;
        return YamlRefusal{Code::invalid, position_at(text, i),
                           fmt::format("the control character 0x{:02x}", byte)};
    }
    if (!is_valid_utf8(text)) return YamlRefusal{Code::invalid, not_utf8_at(text), "not UTF-8"};
    return std::nullopt;
}

std::string explain_yaml(std::string_view text, int at, std::string_view reason) {
    if (at >= 0) {
        std::size_t line = 0;
        for (const std::string& candidate : split(text, '\n')) {
            const std::size_t tab = candidate.find_first_not_of(' ');
            const bool indented_by_tab = tab != std::string::npos && candidate[tab] == '\t';
            if (indented_by_tab && line + 1 >= static_cast<std::size_t>(at)) {
                return fmt::format("a tab in the indentation of line {}; YAML wants spaces",
                                   line + 1);
            }
            if (++line > static_cast<std::size_t>(at) + 1) break;
        }
    }
    static constexpr std::pair<std::string_view, std::string_view> known[] = {
        {"end of map not found",
         "something here does not belong to the mapping around it; look at "
         "the indentation"},
        {"end of sequence not found",
         "something here does not belong to the list around it; look "
         "at the indentation"},
        {"end of map flow not found", "a { without its }"},
        {"end of sequence flow not found", "a [ without its ]"},
        {"illegal map value", "a mapping may not begin here; put text that holds \": \" in quotes"},
        {"illegal block entry", "a list may not begin here"},
        {"illegal flow end", "a closing bracket without its opening one"},
        {"illegal EOF in scalar", "text without its closing quote"},
        {"illegal document indicator in scalar", "text without its closing quote"},
        {"the referenced anchor is not defined", "an alias without its anchor"},
        {"unknown escape character: ", "an unknown escape after a backslash"},
        {"invalid unicode: ", "an escape that names no character"},
        {"unknown token", "a character that may not stand here; put the text in quotes"},
        {"cannot assign multiple tags to the same node", "two tags for one value"},
        {"cannot assign multiple anchors to the same node", "two anchors for one value"},
        {"YAML directives must have exactly one argument", "a directive that is not understood"},
    };
    for (const auto& [theirs, ours] : known) {
        if (reason.starts_with(theirs)) return std::string(ours);
    }
    return "not valid YAML";
}

}  // namespace atelier::crds
