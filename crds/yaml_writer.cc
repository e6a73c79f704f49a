#include <fmt/format.h>

#include "crds/scalar.h"
#include "crds/yaml.h"

namespace atelier::crds {
namespace {

// Characters that must be escaped: controls, and those that YAML takes for line breaks or a mark.
bool needs_escape(std::string_view text, std::size_t at) {
    const auto byte = static_cast<unsigned char>(text[at]);
    if (byte < 0x20 || byte == 0x7f) return true;
    const std::string_view rest = text.substr(at);
    if (byte == 0xc2 && rest.size() > 1) return static_cast<unsigned char>(rest[1]) < 0xa0;
    return rest.starts_with("\xe2\x80\xa8") || rest.starts_with("\xe2\x80\xa9") ||
           rest.starts_with("\xef\xbb\xbf") || rest.starts_with("\xef\xbf\xbe") ||
           rest.starts_with("\xef\xbf\xbf");
}

// The escape of the character at `at`, and the bytes it took.
std::pair<std::string, std::size_t> escape(std::string_view text, std::size_t at) {
    const auto byte = static_cast<unsigned char>(text[at]);
    switch (text[at]) {
        case '\n':
            return {"\\n", 1};
        case '\t':
            return {"\\t", 1};
        case '\r':
            return {"\\r", 1};
        default:
            break;
    }
    if (byte < 0x80) return {fmt::format("\\x{:02x}", byte), 1};
    const auto tail = [&](std::size_t i) {
        return static_cast<unsigned char>(text[at + i]) & 0x3fu;
    };
    if (byte == 0xc2) return {fmt::format("\\x{:02x}", 0x80u | tail(1)), 2};
    return {fmt::format("\\u{:04x}", (byte & 0x0fu) << 12 | tail(1) << 6 | tail(2)), 3};
}

std::string double_quoted(std::string_view text) {
    std::string out = "\"";
    for (std::size_t i = 0; i < text.size();) {
        if (text[i] == '"' || text[i] == '\\') {
            out += '\\';
            out += text[i++];
        } else if (needs_escape(text, i)) {
            const auto [escaped, bytes] = escape(text, i);
            out += escaped;
            i += bytes;
        } else {
            out += text[i++];
        }
    }
    return out + '"';
}

std::string single_quoted(std::string_view text) {
    std::string out = "'";
    for (const char c : text) {
        out += c;
        if (c == '\'') out += '\'';
    }
    return out + '\'';
}

bool any_escape(std::string_view text, bool except_newline_and_tab) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (except_newline_and_tab && (text[i] == '\n' || text[i] == '\t')) continue;
        if (needs_escape(text, i)) return true;
    }
    return false;
}

bool is_plain(std::string_view text) {
    if (text.empty() || is_ambiguous(text)) return false;
    if (std::string_view("-?:,[]{}#&*!|>'\"%@`~=<").find(text.front()) != std::string_view::npos) {
        return false;
    }
    if (text.front() == ' ' || text.back() == ' ' || text.back() == ':') return false;
    return text.find(": ") == std::string_view::npos && text.find(" #") == std::string_view::npos &&
           !text.starts_with("...");
}

std::string inline_text(std::string_view text) {
    if (any_escape(text, false)) return double_quoted(text);
    return is_plain(text) ? std::string(text) : single_quoted(text);
}

// A block scalar is read back exactly when its first line shows the indentation and nothing needs
// an escape. White space alone on a line is where readers differ.
bool fits_block(std::string_view text) {
    if (text.find('\n') == std::string_view::npos || any_escape(text, true)) return false;
    if (text.front() == ' ' || text.front() == '\n' || text.front() == '\t') return false;
    std::size_t begin = 0;
    while (begin < text.size()) {
        const std::size_t end = std::min(text.find('\n', begin), text.size());
        const std::string_view line = text.substr(begin, end - begin);
        if (!line.empty() && line.find_first_not_of(" \t") == std::string_view::npos) return false;
        if (!line.empty() && line.front() == '\t') return false;
        begin = end + 1;
    }
    return true;
}

class YamlWriter {
  public:
    std::string out;

    // After "key:" or "-": the value, with the blank or the line break before it.
    void member(const json::Value& value, std::size_t indent) {
        if (value.IsObject() && value.MemberCount() > 0) {
            out += '\n';
            mapping(value, indent + 2, /*first_indented=*/true);
        } else if (value.IsArray() && !value.Empty()) {
            out += '\n';
            list(value, indent, true);
        } else {
            out += ' ';
            scalar(value, indent + 2);
        }
    }

    void mapping(const json::Value& object, std::size_t indent, bool first_indented) {
        for (const auto& m : object.GetObject()) {
            if (first_indented) out.append(indent, ' ');
            first_indented = true;
            out += inline_text(json::view(m.name));
            out += ':';
            member(m.value, indent);
        }
    }

    void list(const json::Value& array, std::size_t indent, bool first_indented) {
        for (const json::Value& element : array.GetArray()) {
            if (first_indented) out.append(indent, ' ');
            first_indented = true;
            out += "- ";
            if (element.IsObject() && element.MemberCount() > 0) {
                mapping(element, indent + 2, false);
            } else if (element.IsArray() && !element.Empty()) {
                list(element, indent + 2, false);
            } else {
                scalar(element, indent + 2);
            }
        }
    }

    void scalar(const json::Value& value, std::size_t indent) {
        if (value.IsString() && fits_block(json::view(value))) {
            block(json::view(value), indent);
        } else {
            out += value.IsString() ? inline_text(json::view(value)) : json::text(value);
            out += '\n';
        }
    }

  private:
    void block(std::string_view text, std::size_t indent) {
        out += '|';
        if (!text.ends_with('\n')) {
            out += '-';
        } else if (text.ends_with("\n\n")) {
            out += '+';
        }
        out += '\n';
        if (text.ends_with('\n')) text.remove_suffix(1);
        std::size_t begin = 0;
        while (begin <= text.size()) {
            const std::size_t end = std::min(text.find('\n', begin), text.size());
            if (end > begin) out.append(indent, ' ');
            out.append(text.substr(begin, end - begin));
            out += '\n';
            begin = end + 1;
        }
    }
};

}  // namespace

std::string to_yaml(const json::Value& value) {
    YamlWriter writer;
    if (value.IsObject() && value.MemberCount() > 0) {
        writer.mapping(value, 0, true);
    } else if (value.IsArray() && !value.Empty()) {
        writer.list(value, 0, true);
    } else {
        writer.scalar(value, 2);
    }
    return std::move(writer.out);
}

}  // namespace atelier::crds
