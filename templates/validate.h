// Checks a template in a folder without a server, by the same compiler. Other repositories are not
// fetched: a local folder can be given in the place of one, and any other is left out with a
// warning.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "templates/compile.h"
#include "templates/externals.h"

namespace atelier::templates {

// "owner/name" to the folder that is read in its place, whatever the ref.
using StandIns = std::map<std::string, std::filesystem::path>;

// An empty `policy.allow` allows every repository: the settings of the server are not known here.
std::unique_ptr<Externals> local_externals(ExternalPolicy policy, StandIns stand_ins);

// Lines such as "Dev: 12 workspaces, 2 of them not spawned" and "requires: A, B or C"; none when it
// has errors.
std::vector<std::string> summary_of(const Compilation& compiled);

// {"valid":…,"name":…,"counts":…,"requiredEnv":…,"recommendedEnv":…,"artifactDigest":…,
// "errors":[…],"warnings":[…]}. The digest is the one that a server would compute. It is absent
// when there are errors, or when a repository was left out.
std::string json_of(const Compilation& compiled);

}  // namespace atelier::templates
