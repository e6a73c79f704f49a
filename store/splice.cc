#include "store/splice.h"

#include <fmt/format.h>

#include "base/json_text.h"

namespace atelier::store {

std::optional<std::string> with_revision(std::string_view body, Revision revision) {
    // Labels may be called anything, so the depth and the member above decide, not the text alone.
    const std::string_view quoted = member_text(member_text(body, "metadata"), "resourceVersion");
    if (quoted.size() < 2 || quoted.front() != '"') return std::nullopt;
    const std::string_view old = quoted.substr(1, quoted.size() - 2);
    const auto begin = static_cast<std::size_t>(old.data() - body.data());
    const fmt::format_int digits(revision);
    std::string out;
    out.reserve(body.size() - old.size() + digits.size());
    out.append(body, 0, begin);
    out.append(digits.data(), digits.size());
    out.append(body, begin + old.size());
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
