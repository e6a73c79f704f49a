// How the messages of conditions and events write lists, versions and long texts. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "crds/plugin.h"

namespace atelier::reconcilers {

// "a, b, c and 4 more": the first `most` of them.
std::string some_of(const std::vector<std::string>& all, std::size_t most,
                    std::string_view separator = ", ");

// At most `most` bytes of valid UTF-8, cut where a character begins.
std::string cut_utf8(std::string_view text, std::size_t most);

// The first seven digits of the commit, or of the digest where a version has no commit.
std::string short_id(const crds::PluginVersion& version);
// The first seven digits of a digest; "nothing" for an empty one.
std::string short_digest(std::string_view digest);

}  // namespace atelier::reconcilers
