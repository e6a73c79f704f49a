#include "reconcilers/plugin/source.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <functional>

#include "base/hex.h"
#include "base/text.h"

namespace atelier::reconcilers {
namespace {

constexpr std::string_view branches = "refs/heads/";
constexpr std::string_view tags = "refs/tags/";

std::string short_name(std::string_view name) {
    for (const std::string_view prefix : {branches, tags}) {
        if (name.starts_with(prefix)) return std::string(name.substr(prefix.size()));
    }
    return std::string(name);
}

const drivers::GitRef* find(const std::vector<drivers::GitRef>& refs, std::string_view name) {
    const auto it =
        std::find_if(refs.begin(), refs.end(), [&](const auto& ref) { return ref.name == name; });
    return it == refs.end() ? nullptr : &*it;
}

// The version of a tag; nullopt for any other ref.
std::optional<Version> version_of(const drivers::GitRef& ref) {
    if (!ref.name.starts_with(tags)) return std::nullopt;
    return parse_version(std::string_view(ref.name).substr(tags.size()));
}

// The numbers of a tag such as "v2026.1" or "1.2.3.4", which is no version; empty for other texts.
std::vector<std::int64_t> numbers_of(std::string_view text) {
    if (text.starts_with('v')) text.remove_prefix(1);
    std::vector<std::int64_t> numbers;
    for (const std::string& part : split(text.substr(0, text.find_first_of("-+")), '.')) {
        std::int64_t number = 0;
        const char* const last = part.data() + part.size();
        const auto [end, error] = std::from_chars(part.data(), last, number);
        if (part.empty() || !is_digit(part[0]) || error != std::errc() || end != last) return {};
        numbers.push_back(number);
    }
    return numbers;
}

Result<drivers::GitRef> highest_version(const std::vector<drivers::GitRef>& refs) {
    const drivers::GitRef* best = nullptr;
    Version highest;
    for (const drivers::GitRef& ref : refs) {
        const auto version = version_of(ref);
        if (!version || version->pre_release) continue;
        // "v1.0.0" and "1.0.0" are one version; the greater name wins, so that it is always the
        // same.
        if (!best || highest < *version || (highest == *version && best->name < ref.name)) {
            best = &ref;
            highest = *version;
        }
    }
    if (best) return drivers::GitRef{short_name(best->name), best->commit};
    std::string message = "no tag of the repository is a release such as v1.2.3";
    if (const std::string passed = passed_over(refs, {}); !passed.empty()) message += "; " + passed;
    return Error{Code::not_found, std::move(message)};
}

}  // namespace

bool is_commit_id(std::string_view text) {
    return is_full_commit(lower(text));
}

std::string repository_url(const crds::PluginSource& source, std::string_view github_url) {
    if (source.scheme != crds::PluginSource::Scheme::github) return source.url;
    while (github_url.ends_with('/')) github_url.remove_suffix(1);
    return fmt::format("{}/{}{}", github_url, source.name,
                       source.name.ends_with(".git") ? "" : ".git");
}

std::optional<Version> parse_version(std::string_view text) {
    if (text.starts_with('v')) text.remove_prefix(1);
    text = text.substr(0, text.find('+'));  // build metadata does not count
    Version version;
    const std::size_t dash = text.find('-');
    if (dash != std::string_view::npos) {
        if (dash + 1 == text.size()) return std::nullopt;
        version.pre_release = true;
        text = text.substr(0, dash);
    }
    const auto parts = split(text, '.');
    if (parts.size() != 3) return std::nullopt;
    std::int64_t* const fields[] = {&version.major, &version.minor, &version.patch};
    for (std::size_t i = 0; i < 3; ++i) {
        const std::string& part = parts[i];
        if (part.empty() || !is_digit(part[0])) return std::nullopt;
        const char* const last = part.data() + part.size();
        const auto [end, error] = std::from_chars(part.data(), last, *fields[i]);
        if (error != std::errc() || end != last) return std::nullopt;
    }
    return version;
}

Result<drivers::GitRef> resolve_track(const std::vector<drivers::GitRef>& refs,
                                      const crds::Track& track, const std::string& source_ref) {
    using Kind = crds::Track::Kind;
    const auto named = [&](std::string_view prefix,
                           std::string_view what) -> Result<drivers::GitRef> {
        const auto* ref = find(refs, std::string(prefix) + track.name);
        if (ref) return drivers::GitRef{track.name, ref->commit};
        return Error{Code::not_found,
                     fmt::format("the repository has no {} \"{}\"", what, track.name)};
    };
    switch (track.kind) {
        case Kind::none:
            return resolve_source(refs, source_ref);
        case Kind::tag:
            return named(tags, "tag");
        case Kind::branch:
            return named(branches, "branch");
        case Kind::commit:
            return drivers::GitRef{"", track.name};
        case Kind::latest_version:
            return highest_version(refs);
    }
    return Error{Code::internal, "a track that does not exist"};
}

Result<drivers::GitRef> resolve_source(const std::vector<drivers::GitRef>& refs,
                                       const std::string& source_ref) {
    drivers::GitRef found = TRY(drivers::resolve_ref(refs, source_ref));
    found.name = is_commit_id(found.name) ? "" : short_name(found.name);
    return found;
}

std::string passed_over(const std::vector<drivers::GitRef>& refs, std::string_view chosen) {
    constexpr std::size_t most_named = 3;
    const auto than = numbers_of(chosen);
    std::vector<std::pair<std::vector<std::int64_t>, std::string>> higher;
    for (const drivers::GitRef& ref : refs) {
        if (!ref.name.starts_with(tags)) continue;
        const std::string name = short_name(ref.name);
        const auto version = version_of(ref);
        if (version && !version->pre_release) continue;
        auto numbers = numbers_of(name);
        if (numbers.size() < 2 || numbers <= than) continue;
        higher.emplace_back(std::move(numbers),
                            name + (version ? " is a pre-release" : " has not three numbers"));
    }
    if (higher.empty()) return {};
    std::sort(higher.begin(), higher.end(), std::greater<>());
    std::vector<std::string> texts;
    for (std::size_t i = 0; i < std::min(most_named, higher.size()); ++i) {
        texts.push_back(std::move(higher[i].second));
    }
    std::string text = "tag:latest does not take higher tags: " + join(texts, ", ");
    if (higher.size() > most_named) text += fmt::format(" and {} more", higher.size() - most_named);
    return text + "; to use one, track tag:NAME";
}

}  // namespace atelier::reconcilers
