// One patch for many objects.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/session/session.h"

namespace atelier::cli {

// Sends the merge patch to every target and prints "<object> <done>" for each. A target that fails
// is reported on stderr and the others are still patched. Returns the exit code of the last
// failure.
Result<int> patch_all(Session& session, const std::vector<Target>& targets, const std::string& ns,
                      const json::Value& patch, std::string_view done);

}  // namespace atelier::cli
