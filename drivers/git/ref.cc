#include "drivers/git/ref.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/hex.h"
#include "base/text.h"

namespace atelier::drivers {
namespace {

bool is_alphanumeric(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

Error bad_ref(std::string_view why) {
    return {Code::invalid, fmt::format("git ref: {}", why)};
}
Error bad_url(std::string_view why) {
    return {Code::invalid, fmt::format("git URL: {}", why)};
}

constexpr std::string_view branches = "refs/heads/";
constexpr std::string_view tags = "refs/tags/";

const GitRef* find(const std::vector<GitRef>& refs, std::string_view name) {
    const auto it =
        std::find_if(refs.begin(), refs.end(), [&](const GitRef& ref) { return ref.name == name; });
    return it == refs.end() ? nullptr : &*it;
}

// "host", "host:port", "[v6]:port".
Result<void> check_authority(std::string_view authority) {
    if (authority.find('@') != std::string_view::npos) {
        return bad_url("it must not hold a user name or password; put them into a Secret");
    }
    std::string_view host = authority;
    std::string_view port;
    if (host.starts_with('[')) {
        const std::size_t end = host.find(']');
        if (end == std::string_view::npos) return bad_url("the address in brackets has no end");
        const std::string_view rest = host.substr(end + 1);
        if (host.substr(1, end - 1).find_first_not_of("0123456789abcdefABCDEF:.") !=
                std::string_view::npos ||
            (!rest.empty() && !rest.starts_with(':'))) {
            return bad_url("the address in brackets is not an IPv6 address");
        }
        port = rest.empty() ? rest : rest.substr(1);
        if (!rest.empty() && port.empty()) return bad_url("the port is empty");
    } else {
        const std::size_t colon = host.find(':');
        if (colon != std::string_view::npos) {
            port = host.substr(colon + 1);
            host = host.substr(0, colon);
            if (port.empty()) return bad_url("the port is empty");
        }
        if (host.empty()) return bad_url("the host is empty");
        if (!is_alphanumeric(host.front()) || !std::all_of(host.begin(), host.end(), [](char c) {
                return is_alphanumeric(c) || c == '.' || c == '-' || c == '_';
            })) {
            return bad_url("the host may have letters, digits, '.', '-' and '_' only");
        }
    }
    if (!port.empty()) {
        unsigned number = 0;
        const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
        if (error != std::errc() || end != port.data() + port.size() || number == 0 ||
            number > 65535) {
            return bad_url("the port must be a number from 1 to 65535");
        }
    }
    return {};
}

}  // namespace

Result<void> check_ref(std::string_view ref) {
    if (ref.empty()) return bad_ref("it is empty");
    if (ref.size() > 255) return bad_ref("it has more than 255 characters");
    if (!std::all_of(ref.begin(), ref.end(), [](char c) {
            return is_alphanumeric(c) ||
                   std::string_view("._/-+@").find(c) != std::string_view::npos;
        })) {
        return bad_ref("only letters, digits and . _ / - + @ are allowed");
    }
    if (ref.front() == '-') return bad_ref("it must not begin with '-'");
    if (ref.front() == '/' || ref.back() == '/')
        return bad_ref("it must not begin or end with '/'");
    if (ref.find("..") != std::string_view::npos) return bad_ref("it must not contain \"..\"");
    if (ref == "@" || ref.find("@{") != std::string_view::npos) {
        return bad_ref("it must not contain \"@{\"");
    }
    if (ref.find("//") != std::string_view::npos) return bad_ref("it must not contain \"//\"");
    if (ref.back() == '.' || ref.ends_with(".lock")) {
        return bad_ref("it must not end with '.' or \".lock\"");
    }
    return {};
}

Result<void> check_remote_url(std::string_view url) {
    if (url.size() > 2048) return bad_url("it has more than 2048 characters");
    if (std::any_of(url.begin(), url.end(), [](char c) {
            const auto byte = static_cast<unsigned char>(c);
            return byte <= 0x20 || byte >= 0x7f || c == '\\' || c == '"' || c == '<' || c == '>';
        })) {
        return bad_url("it must be printable ASCII without spaces, quotes or backslashes");
    }
    const std::size_t colon = url.find("://");
    const std::string scheme =
        colon == std::string_view::npos ? std::string() : lower(url.substr(0, colon));
    if (scheme != "http" && scheme != "https") {
        return bad_url("it must begin with http:// or https://");
    }
    const std::string_view rest = url.substr(colon + 3);
    const std::size_t slash = rest.find_first_of("/?#");
    TRY(check_authority(rest.substr(0, slash)));
    if (rest.find('?') != std::string_view::npos || rest.find('#') != std::string_view::npos) {
        return bad_url("it must have no query and no fragment");
    }
    if (slash == std::string_view::npos ||
        rest.substr(slash).find_first_not_of('/') == std::string_view::npos) {
        return bad_url("it must have the path of a repository");
    }
    for (const std::string& part : split(rest.substr(slash), '/')) {
        if (part == "..") return bad_url("its path must not contain \"..\"");
    }
    return {};
}

Result<GitRef> resolve_ref(const std::vector<GitRef>& refs, std::string_view ref) {
    if (ref.empty()) {
        if (const GitRef* head = find(refs, "HEAD")) return *head;
        return Error{Code::not_found,
                     "the repository is empty, or its HEAD leads to no branch; name a branch"};
    }
    TRY(check_ref(ref));
    if (is_full_commit(lower(ref))) return GitRef{lower(ref), lower(ref)};
    // Unlike gitrevisions(7), where a tag comes before a branch.
    const std::string name(ref);
    const bool full = ref == "HEAD" || ref.starts_with("refs/");
    if (const GitRef* found = full ? find(refs, name) : find(refs, "refs/" + name)) return *found;
    for (const std::string_view prefix : {branches, tags}) {
        if (const GitRef* found = find(refs, std::string(prefix) + name)) return *found;
    }
    return Error{Code::not_found, fmt::format("the repository has no branch or tag \"{}\"", ref)};
}

std::string ambiguity_of(const std::vector<GitRef>& refs, std::string_view ref) {
    if (ref.empty() || is_full_commit(lower(ref)) || ref.starts_with("refs/")) return {};
    const std::string name(ref);
    if (!find(refs, std::string(branches) + name) || !find(refs, std::string(tags) + name))
        return {};
    return fmt::format(
        "the repository has a branch and a tag \"{0}\"; the branch is used: write refs/heads/{0} "
        "to "
        "say so, or refs/tags/{0} for the tag",
        ref);
}

}  // namespace atelier::drivers
