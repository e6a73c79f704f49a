#include "base/json_text.h"

#include "base/json.h"

namespace atelier {
namespace {

bool is_space(char c) {
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

// The scanner trusts that the text is valid JSON, but never reads past its end.
class Scanner {
  public:
    explicit Scanner(std::string_view text) : text_(text) {}

    void spaces() {
        while (at_ < text_.size() && is_space(text_[at_])) ++at_;
    }
    bool take(char c) {
        spaces();
        if (at_ >= text_.size() || text_[at_] != c) return false;
        ++at_;
        return true;
    }
    // The text of one value, which is skipped.
    std::string_view value() {
        spaces();
        const std::size_t begin = at_;
        int depth = 0;
        while (at_ < text_.size()) {
            const char c = text_[at_];
            if (c == '"') {
                skip_string();
            } else if (c == '{' || c == '[') {
                ++depth;
                ++at_;
            } else if (c == '}' || c == ']') {
                if (depth == 0) break;
                --depth;
                ++at_;
            } else if (depth == 0 && (c == ',' || c == ':' || is_space(c))) {
                break;
            } else {
                ++at_;
                continue;
            }
            if (depth == 0) break;
        }
        return text_.substr(begin, at_ - begin);
    }

  private:
    void skip_string() {
        ++at_;
        while (at_ < text_.size() && text_[at_] != '"') at_ += text_[at_] == '\\' ? 2 : 1;
        at_ = std::min(at_ + 1, text_.size());
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

}  // namespace

void append_quoted(std::string& out, std::string_view text) {
    static constexpr char digits[] = "0123456789abcdef";
    out += '"';
    for (const char c : text) {
        switch (c) {
            case '"':
                out += "\\\"";
                break;
            case '\\':
                out += "\\\\";
                break;
            case '\n':
                out += "\\n";
                break;
            case '\r':
                out += "\\r";
                break;
            case '\t':
                out += "\\t";
                break;
            default:
                if (static_cast<unsigned char>(c) < 0x20) {
                    out += "\\u00";
                    out += digits[static_cast<unsigned char>(c) >> 4];
                    out += digits[static_cast<unsigned char>(c) & 15];
                } else {
                    out += c;
                }
        }
    }
    out += '"';
}

std::string quoted(std::string_view text) {
    std::string out;
    out.reserve(text.size() + 2);
    append_quoted(out, text);
    return out;
}

std::string_view member_text(std::string_view object, std::string_view name) {
    Scanner scanner(object);
    if (!scanner.take('{')) return {};
    while (true) {
        const std::string_view key = scanner.value();
        if (key.size() < 2 || !scanner.take(':')) return {};
        const std::string_view value = scanner.value();
        if (key.substr(1, key.size() - 2) == name) return value;
        if (!scanner.take(',')) return {};
    }
}

std::string string_below(std::string_view object, std::initializer_list<std::string_view> path) {
    for (const std::string_view name : path) object = member_text(object, name);
    if (object.empty() || object.front() != '"') return std::string(object);
    if (object.find('\\') == std::string_view::npos) {
        return std::string(object.substr(1, object.size() - 2));
    }
    const auto parsed = json::parse(object);
    if (!parsed || !parsed->IsString()) return {};
    return std::string(json::view(*parsed));
}

}  // namespace atelier
