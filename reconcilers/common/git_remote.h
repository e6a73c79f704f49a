// A git remote as an object's spec names it: a URL, and a Secret with what it needs to be read.
#pragma once

#include <optional>
#include <string>

#include "crds/meta.h"
#include "drivers/git/git.h"
#include "reconcilers/common/objects.h"

namespace atelier::reconcilers {

// Keys of the Secret: `username` and `password`, or `token`; `ca.crt` for additional trust.
// not_found: there is no such Secret; invalid: it has none of these, or half a pair.
Result<drivers::GitRemote> git_remote(const Objects& objects, const std::string& ns,
                                      const std::string& url,
                                      const std::optional<crds::LocalRef>& secret_ref);

}  // namespace atelier::reconcilers
