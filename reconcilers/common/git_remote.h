// A git remote as a spec names it: a URL, and a Secret with the credentials to read it.
#pragma once

#include <optional>
#include <string>

#include "crds/meta.h"
#include "drivers/git/git.h"
#include "reconcilers/common/objects.h"

namespace atelier::reconcilers {

// Keys of the Secret: `username` and `password`, or `token`; `ca.crt` for additional trust.
// not_found: there is no such Secret. invalid: it has none of these keys, or only half of the pair.
Result<drivers::GitRemote> git_remote(const Objects& objects, const std::string& ns,
                                      const std::string& url,
                                      const std::optional<crds::LocalRef>& secret_ref);

}  // namespace atelier::reconcilers
