// What people write to name a commit and a repository, and what it means among a remote's refs.
// Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace atelier::drivers {

struct GitRef {
    std::string name;    // "HEAD", "refs/heads/main", "refs/tags/v1"; tags are peeled
    std::string commit;  // 40 hexadecimal digits
};

// Branch, tag or full commit: letters, digits, and ._/-+@ ; no "..", no leading '-' or '/', no
// "@{", at most 255. The rule is older than any call to git: it also stops flag injection.
Result<void> check_ref(std::string_view ref);
Result<void> check_remote_url(std::string_view url);
// The commit that a user's ref means among a remote's refs. Empty means HEAD, and a full commit is
// itself. A short name means a branch, else a tag: whoever can push a tag must not be able to
// divert who follows a branch. "refs/tags/x", "refs/heads/x", "tags/x" and "heads/x" name one of
// the two.
Result<GitRef> resolve_ref(const std::vector<GitRef>& refs, std::string_view ref);
// A warning for people if `ref` is the name of both a branch and a tag; else empty.
std::string ambiguity_of(const std::vector<GitRef>& refs, std::string_view ref);

}  // namespace atelier::drivers
