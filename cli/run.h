// The command line: every verb of `atelier` except server, rekey and validate, which cmd/ runs.
#pragma once

#include <string>
#include <vector>

#include "cli/session/exit_code.h"
#include "cli/session/process_context.h"

namespace atelier::cli {

// `arguments` without the program's name. Returns the exit code. Throws nothing.
int run(const std::vector<std::string>& arguments, const ProcessContext& process);

}  // namespace atelier::cli
