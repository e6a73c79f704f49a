#include "templates/external_rule.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "drivers/git/ref.h"

namespace atelier::templates {
namespace {

constexpr std::string_view https = "https://";
constexpr std::string_view http = "http://";
constexpr std::size_t longest_host = 253;
constexpr std::size_t longest_segment = 100;
constexpr std::size_t longest_path = 1024;

bool is_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

Error invalid(std::string message) {
    return {Code::invalid, std::move(message)};
}

bool is_port(std::string_view text) {
    return !text.empty() && text.size() <= 5 &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// A name or an address; an IPv6 address in brackets.
bool is_host(std::string_view host) {
    if (host.starts_with('[')) {
        return host.ends_with(']') && host.size() > 4 &&
               host.substr(1, host.size() - 2).find_first_not_of("0123456789abcdef:.") ==
                   std::string_view::npos;
    }
    return !host.empty() && host.size() <= longest_host && is_word(host.front()) &&
           is_word(host.back()) && std::all_of(host.begin(), host.end(), [](char c) {
               return is_word(c) || c == '.' || c == '-';
           });
}

bool is_segment(std::string_view text) {
    return !text.empty() && text.size() <= longest_segment && text.front() != '-' &&
           text.front() != '.' && std::all_of(text.begin(), text.end(), [](char c) {
               return is_word(c) || c == '_' || c == '.' || c == '-';
           });
}

Result<void> check_repository(const std::string& repo) {
    const auto parts = split(repo, '/');
    if (parts.size() == 2 && is_segment(parts[0]) && is_segment(parts[1])) return {};
    return invalid(fmt::format("repo \"{}\" must be owner/name", repo));
}

Result<void> check_external_ref(const std::string& ref) {
    const bool letters = std::all_of(ref.begin(), ref.end(), [](char c) {
        return is_word(c) || c == '_' || c == '.' || c == '/' || c == '-';
    });
    if (!letters) {
        return invalid(fmt::format(
            "ref \"{}\" must be a branch, a tag or a commit of letters, digits and _./-", ref));
    }
    if (ref.find("..") != std::string::npos) {
        return invalid(fmt::format("ref \"{}\" must not have \"..\" in it", ref));
    }
    if (ref.starts_with('-')) {
        return invalid(fmt::format("ref \"{}\" must not begin with '-'", ref));
    }
    return drivers::check_ref(ref);
}

Result<void> check_path(const std::string& path) {
    const Error leads_out{Code::unsupported,
                          fmt::format("path \"{}\" must be relative to the root of the repository, "
                                      "without \"..\"",
                                      path)};
    if (path.starts_with('/')) return leads_out;
    const auto parts = split(path, '/');
    if (std::find(parts.begin(), parts.end(), "..") != parts.end()) return leads_out;
    if (path.size() <= longest_path && is_safe_relative_path(path) &&
        path.find('\0') == std::string::npos) {
        return {};
    }
    return invalid(fmt::format("path \"{}\" must name a file", path));
}

struct Prefix {
    std::string origin;
    std::vector<std::string> segments;
};

// An entry of the allowlist in its parts.
Result<Prefix> prefix_of(std::string_view entry) {
    std::string_view rest = trim(entry);
    if (rest.ends_with("/*")) rest.remove_suffix(2);
    while (rest.ends_with('/')) rest.remove_suffix(1);
    std::size_t start = 0;
    for (const std::string_view scheme : {https, http}) {
        if (rest.starts_with(scheme)) start = scheme.size();
    }
    const std::size_t slash = rest.find('/', start);
    Prefix prefix{TRY(external_origin(rest.substr(0, slash))), {}};
    if (slash == std::string_view::npos) return prefix;
    prefix.segments = split(rest.substr(slash + 1), '/');
    if (!std::all_of(prefix.segments.begin(), prefix.segments.end(), is_segment)) {
        return invalid(fmt::format("\"{}\" is not host/path", entry));
    }
    return prefix;
}

bool is_allowed(const std::string& origin, const std::string& repo, const ExternalPolicy& policy) {
    const auto asked = split(repo, '/');
    return std::any_of(policy.allow.begin(), policy.allow.end(), [&](const std::string& entry) {
        const auto prefix = prefix_of(entry);
        return prefix && prefix->origin == origin && prefix->segments.size() <= asked.size() &&
               std::equal(prefix->segments.begin(), prefix->segments.end(), asked.begin());
    });
}

}  // namespace

Result<std::string> external_origin(std::string_view host) {
    std::string text = lower(trim(host));
    while (text.ends_with('/')) text.pop_back();
    std::string_view scheme = https;
    std::string_view rest = text;
    for (const std::string_view given : {https, http}) {
        if (!rest.starts_with(given)) continue;
        scheme = given;
        rest.remove_prefix(given.size());
        break;
    }
    const std::size_t colon = rest.ends_with(']') ? std::string_view::npos : rest.rfind(':');
    const std::string_view name = rest.substr(0, colon);
    std::string_view port = colon == std::string_view::npos ? "" : rest.substr(colon + 1);
    if (!is_host(name) || (colon != std::string_view::npos && !is_port(port))) {
        // The message does not repeat the URL: people put credentials there.
        return invalid("url must be a host such as git.example.com, without a user or a path");
    }
    if (port == (scheme == https ? "443" : "80")) port = "";
    return fmt::format("{}{}{}{}", scheme, name, port.empty() ? "" : ":", port);
}

std::string origin_of_url(std::string_view url) {
    const std::size_t scheme = url.find("://");
    if (scheme == std::string_view::npos) return {};
    const auto origin = external_origin(url.substr(0, url.find('/', scheme + 3)));
    return origin ? *origin : std::string();
}

Result<ExternalTarget> check_external(const ExternalRequest& request,
                                      const ExternalPolicy& policy) {
    if (request.repo.empty()) return invalid("it needs repo: owner/name");
    if (request.ref.empty()) return invalid("it needs ref: a branch, a tag or a commit");
    if (request.path.empty()) return invalid("it needs path: a file of the repository");
    TRY(check_repository(request.repo));
    TRY(check_external_ref(request.ref));
    TRY(check_path(request.path));
    const std::string usual = policy.host.empty() ? "" : TRY(external_origin(policy.host));
    if (request.url.empty() && usual.empty()) {
        return Error{
            Code::forbidden,
            "it names no url, and the server has no host for repositories without one: its "
            "operator can set --external-host and --external-allow"};
    }
    ExternalTarget target;
    target.origin = request.url.empty() ? usual : TRY(external_origin(request.url));
    target.ref = request.ref;
    target.path = request.path;
    target.url = fmt::format("{}/{}{}", target.origin, request.repo,
                             request.repo.ends_with(".git") ? "" : ".git");
    const std::string host = target.origin.substr(target.origin.find("://") + 3);
    target.label = fmt::format("{}{}{}@{}", target.origin == usual ? "" : host,
                               target.origin == usual ? "" : "/", request.repo, request.ref);
    if (!is_allowed(target.origin, request.repo, policy)) {
        return Error{Code::forbidden,
                     fmt::format("the server does not allow {}/{}: its operator can, with "
                                 "--external-allow",
                                 target.origin, request.repo)};
    }
    return target;
}

Result<void> check_external_policy(const ExternalPolicy& policy) {
    if (!policy.host.empty()) TRY(external_origin(policy.host));
    for (const std::string& entry : policy.allow) TRY(prefix_of(entry));
    return {};
}

}  // namespace atelier::templates
