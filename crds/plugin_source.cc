#include "crds/plugin_source.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/hex.h"
#include "base/text.h"

namespace atelier::crds {
namespace {

constexpr std::size_t longest_ref = 255;

bool is_plain(std::string_view text, std::string_view more) {
    return std::all_of(text.begin(), text.end(), [&](char c) {
        return is_letter_or_digit(c) || more.find(c) != std::string_view::npos;
    });
}

Error bad(std::string message) {
    return {Code::invalid, std::move(message)};
}

bool is_github_part(std::string_view part) {
    return !part.empty() && part.size() <= 100 && is_letter_or_digit(part.front()) &&
           is_plain(part, "_.-") && part.find("..") == std::string_view::npos;
}

Result<PluginSource> github(std::string_view spec, std::string_view ref) {
    const std::size_t slash = spec.find('/');
    if (slash == std::string_view::npos || !is_github_part(spec.substr(0, slash)) ||
        !is_github_part(spec.substr(slash + 1))) {
        return bad(fmt::format("\"{}\" is not owner/repo; write github://owner/repo#ref",
                               spec.substr(0, 100)));
    }
    return PluginSource{PluginSource::Scheme::github, std::string(spec), {}, std::string(ref)};
}

}  // namespace

std::string PluginSource::text() const {
    const std::string tail = ref.empty() ? "" : "#" + ref;
    switch (scheme) {
        case Scheme::local:
            return "local://" + name;
        case Scheme::github:
            return "github://" + name + tail;
        case Scheme::git:
            return "git+" + url + tail;
    }
    return {};
}

bool is_plugin_name(std::string_view name) {
    const auto plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
    return !name.empty() && name.size() <= 128 && plain(name.front()) &&
           std::all_of(name.begin(), name.end(),
                       [&](char c) { return plain(c) || c == '.' || c == '_' || c == '-'; });
}

Result<void> check_git_ref(std::string_view ref) {
    if (ref.empty()) return bad("the ref is empty");
    if (ref.size() > longest_ref) {
        return bad(
            fmt::format("a ref of {} characters; at most {} are taken", ref.size(), longest_ref));
    }
    if (!is_plain(ref, "._/+-@")) {
        return bad("a ref may hold letters, digits and . _ / + - @ only");
    }
    if (ref.front() == '-')
        return bad("a ref may not begin with '-': git would take it for an option");
    if (ref.find("..") != std::string_view::npos || ref.find("@{") != std::string_view::npos) {
        return bad("a ref may hold neither \"..\" nor \"@{\"");
    }
    if (ref.front() == '/' || ref.back() == '/' || ref.back() == '.' || ref.ends_with(".lock") ||
        ref.find("//") != std::string_view::npos || ref == "@") {
        return bad("git allows no ref of this form");
    }
    return {};
}

Result<void> check_git_url(std::string_view url) {
    std::string_view rest;
    if (url.starts_with("https://")) {
        rest = url.substr(8);
    } else if (url.starts_with("http://")) {
        rest = url.substr(7);
    } else {
        return bad("the URL must begin with https:// or http://");
    }
    if (std::any_of(url.begin(), url.end(), [](char c) {
            return static_cast<unsigned char>(c) <= ' ' || c == 0x7f || c == '\\';
        })) {
        return bad("the URL holds a blank, a backslash or a control character");
    }
    const std::size_t end = rest.find_first_of("/?#");
    const std::string_view authority = rest.substr(0, end);
    if (authority.find('@') != std::string_view::npos) {
        return bad("the URL holds credentials; put them into a Secret and name it in secretRef");
    }
    if (authority.empty() || authority.front() == ':') return bad("the URL names no host");
    if (!is_plain(authority, ".-_:[]")) return bad("the URL's host holds odd characters");
    if (rest.find('#') != std::string_view::npos) {
        return bad("the URL holds a '#'; a ref has a place of its own");
    }
    return {};
}

Result<void> check_repository_url(std::string_view url) {
    TRY(check_git_url(url));
    if (url.find('?') != std::string_view::npos) {
        return bad("the URL holds a query; a token belongs into a Secret, named in secretRef");
    }
    const std::string_view rest = url.substr(url.find("://") + 3);
    const std::size_t slash = rest.find('/');
    const std::string_view path = slash == std::string_view::npos ? "" : rest.substr(slash);
    if (path.find_first_not_of('/') == std::string_view::npos) {
        return bad("the URL names no repository; it needs a path after the host");
    }
    const auto parts = split(path, '/');
    if (std::find(parts.begin(), parts.end(), "..") != parts.end()) {
        return bad("the URL's path holds \"..\"");
    }
    return {};
}

std::string without_credentials(std::string_view url) {
    const std::size_t scheme = url.find("://");
    const std::size_t begin = scheme == std::string_view::npos ? 0 : scheme + 3;
    const std::size_t end = std::min(url.find_first_of("/?#", begin), url.size());
    const std::size_t at = url.substr(0, end).rfind('@');
    std::string shown(url.substr(0, url.find('?')));
    // git@host:path has a user, but no secret.
    if (scheme != std::string_view::npos && at != std::string_view::npos && at >= begin) {
        shown.replace(begin, at - begin, "***");
    }
    if (url.find('?') != std::string_view::npos) shown += "?***";
    return shown;
}

Result<PluginSource> parse_plugin_source(std::string_view whole) {
    const std::string_view text = trim(whole);
    const std::size_t colon = text.find("://");
    const std::string_view scheme =
        colon == std::string_view::npos ? "local" : text.substr(0, colon);
    std::string_view spec = colon == std::string_view::npos ? text : text.substr(colon + 3);
    if (spec.empty())
        return bad("the source is empty; write for example github://owner/repo#v1.0.0");
    if (scheme == "local") {
        if (!is_plugin_name(spec)) {
            return bad(
                fmt::format("\"{}\" is not the name of a plugin: lower-case letters, digits "
                            "and . _ -, beginning with a letter or digit",
                            spec.substr(0, 100)));
        }
        return PluginSource{PluginSource::Scheme::local, std::string(spec), {}, {}};
    }
    std::string_view ref;
    if (const std::size_t hash = spec.find('#'); hash != std::string_view::npos) {
        ref = spec.substr(hash + 1);
        spec = spec.substr(0, hash);
        TRY(check_git_ref(ref));
    }
    if (scheme == "github") return github(spec, ref);
    if (scheme == "git+https" || scheme == "git+http") {
        const std::string url = fmt::format("{}://{}", scheme.substr(4), spec);
        TRY(check_repository_url(url));
        return PluginSource{PluginSource::Scheme::git, {}, url, std::string(ref)};
    }
    const auto meant = did_you_mean(scheme, {"local", "github", "git+https", "git+http"});
    return bad(
        fmt::format("the scheme \"{}\" is not known{}; use local://, github:// or git+https://",
                    scheme.substr(0, 40), meant ? ", did you mean " + *meant : ""));
}

Result<Track> parse_track(std::string_view text) {
    if (text.empty() || text == "none") return Track{};
    const std::size_t colon = text.find(':');
    const std::string_view prefix = text.substr(0, colon);
    const std::string_view name =
        colon == std::string_view::npos ? std::string_view() : text.substr(colon + 1);
    if (colon == std::string_view::npos) {
        if (text == "latest") {
            return bad(
                "\"latest\" alone is not understood; write tag:latest for the highest version");
        }
        return bad(
            fmt::format("\"{0}\" is not understood; write none, tag:{0}, branch:{0} or "
                        "sha:<commit>",
                        text.substr(0, 100)));
    }
    if (prefix == "sha") {
        if (!is_full_commit(name)) {
            return bad("sha: wants the whole commit, 40 hexadecimal digits in lower case");
        }
        return Track{Track::Kind::commit, std::string(name)};
    }
    if (prefix != "tag" && prefix != "branch") {
        return bad(fmt::format("\"{}:\" is not understood; write none, tag:, branch: or sha:",
                               prefix.substr(0, 100)));
    }
    TRY(check_git_ref(name));
    if (prefix == "branch") return Track{Track::Kind::branch, std::string(name)};
    if (name == "latest") return Track{Track::Kind::latest_version, {}};
    return Track{Track::Kind::tag, std::string(name)};
}

}  // namespace atelier::crds
