// `atelier validate DIR`: compiles a template as the server would, without a server.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "base/environment.h"

namespace atelier::cmd {

// Returns the exit code: 0 the template compiles, 1 it has errors (with --strict: or warnings), 2
// wrong usage.
int validate(const std::vector<std::string>& arguments, const Environment& environment,
             std::ostream& out, std::ostream& err);

}  // namespace atelier::cmd
