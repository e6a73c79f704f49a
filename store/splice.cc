#include "store/splice.h"

#include <fmt/format.h>

#include <algorithm>

namespace atelier::store {
namespace {

// Walks the members of JSON that is known to be valid. Labels may be called anything, so the depth
// and the member it is below decide, not the text alone.
class Walker {
  public:
    explicit Walker(std::string_view text) : text_(text) {}

    // Enters the object at the current place and stops before the value of `name`.
    bool enter(std::string_view name) {
        if (!take('{')) return false;
        while (peek() == '"') {
            const std::string_view found = string();
            if (!take(':')) return false;
            if (found == name) return true;
            skip_value();
            if (!take(',')) return false;
        }
        return false;
    }
    // The text between the quotes of the string at the current place.
    std::optional<std::string_view> value() {
        if (peek() != '"') return std::nullopt;
        return string();
    }

  private:
    char peek() {
        at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size());
        return at_ < text_.size() ? text_[at_] : '\0';
    }
    bool take(char c) {
        if (peek() != c) return false;
        ++at_;
        return true;
    }
    std::string_view string() {
        const std::size_t begin = ++at_;
        while (at_ < text_.size() && text_[at_] != '"') at_ += text_[at_] == '\\' ? 2 : 1;
        return text_.substr(begin, at_++ - begin);
    }
    void skip_value() {
        int depth = 0;
        while (peek() != '\0') {
            const char c = text_[at_];
            if (c == '"') {
                string();
            } else if (c == '{' || c == '[') {
                ++depth, ++at_;
            } else if (c == '}' || c == ']') {
                if (depth == 0) return;
                --depth, ++at_;
            } else if (c == ',' && depth == 0) {
                return;
            } else {
                ++at_;
                continue;
            }
            if (depth == 0) return;
        }
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

}  // namespace

std::optional<std::string> with_revision(std::string_view body, Revision revision) {
    Walker walker(body);
    if (!walker.enter("metadata") || !walker.enter("resourceVersion")) return std::nullopt;
    const auto old = walker.value();
    if (!old) return std::nullopt;
    const auto begin = static_cast<std::size_t>(old->data() - body.data());
    const fmt::format_int digits(revision);
    std::string out;
    out.reserve(body.size() - old->size() + digits.size());
    out.append(body, 0, begin);
    out.append(digits.data(), digits.size());
    out.append(body, begin + old->size());
    return out;
}

bool same_body(const crds::Body& body, Revision revision, std::string_view stored) {
    const fmt::format_int digits(revision);
    const std::string_view text = body.text;
    if (stored.size() != text.size() + digits.size()) return false;
    return stored.substr(0, body.revision_at) == text.substr(0, body.revision_at) &&
           stored.substr(body.revision_at, digits.size()) ==
               std::string_view(digits.data(), digits.size()) &&
           stored.substr(body.revision_at + digits.size()) == text.substr(body.revision_at);
}

}  // namespace atelier::store
