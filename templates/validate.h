// A template looked at without a server: the same compiler, over a folder. Other repositories are
// not fetched: a folder can stand in for one, and what has none is left out with a warning.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "templates/compile.h"
#include "templates/externals.h"

namespace atelier::templates {

// "owner/name" to the folder that stands in for it, at whatever ref.
using StandIns = std::map<std::string, std::filesystem::path>;

// `policy.allow` empty: every repository may be named, for here the operator's word is not known.
std::unique_ptr<Externals> local_externals(ExternalPolicy policy, StandIns stand_ins);

// Lines such as "Dev: 12 workspaces, 2 of them not spawned" and "requires: A, B or C"; none when it
// has errors.
std::vector<std::string> summary_of(const Compilation& compiled);

// {"valid":…,"name":…,"counts":…,"requiredEnv":…,"recommendedEnv":…,"artifactDigest":…,
// "errors":[…],"warnings":[…]}. The digest is that of a server's artifact; it is absent when there
// are errors, or something was left out.
std::string json_of(const Compilation& compiled);

}  // namespace atelier::templates
