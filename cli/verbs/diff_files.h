// diff -f: what `apply` of files would change, as the server would store it.
#pragma once

#include "cli/session/session.h"

namespace atelier::cli {

// Prints a unified diff for each object that would change. exit_code::fine when nothing would,
// exit_code::error (1, as diff(1)) when something would, exit_code::usage when an object is
// invalid.
Result<int> diff_files(Session& session);

}  // namespace atelier::cli
