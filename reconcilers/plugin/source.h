// Which commit the source and the track of a plugin lead to, among the refs of its repository.
// Pure. Their grammar is in crds/plugin_source.h.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "crds/plugin_source.h"
#include "drivers/git/git.h"

namespace atelier::reconcilers {

// The URL of a source's repository. `github_url`: what github://owner/repo is below, such as
// "https://github.com". Empty for a local source.
std::string repository_url(const crds::PluginSource& source, std::string_view github_url);

// A semantic version (semver.org), with or without a leading "v". Unlike there, numbers may have
// leading zeros, as in the calendar version 2026.05.08.
struct Version {
    std::int64_t major = 0;
    std::int64_t minor = 0;
    std::int64_t patch = 0;
    bool pre_release = false;
    auto operator<=>(const Version&) const = default;
};
std::optional<Version> parse_version(std::string_view text);

// For people: the tags that tag:latest does not take although they are higher than the chosen one,
// because they are pre-releases or have not three numbers. Empty: there are none. `chosen`: the
// short name of a tag; empty: none.
std::string passed_over(const std::vector<drivers::GitRef>& refs, std::string_view chosen);

// The commit that is tracked. `name` of the result is short: "v1.2.0", "main", empty for a commit.
// tag:latest is the highest version that is no pre-release. Track none means the ref of the source,
// which is HEAD where it is empty. not_found: there is no such ref.
Result<drivers::GitRef> resolve_track(const std::vector<drivers::GitRef>& refs,
                                      const crds::Track& track, const std::string& source_ref);
Result<drivers::GitRef> resolve_source(const std::vector<drivers::GitRef>& refs,
                                       const std::string& source_ref);

// 40 hexadecimal digits: needs no list of refs.
bool is_commit_id(std::string_view text);

}  // namespace atelier::reconcilers
