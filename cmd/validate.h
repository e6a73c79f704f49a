// atelier validate DIR: compiles a template as the server would, without one.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "base/environment.h"

namespace atelier::cmd {

// The exit code: 0 the template is fine, 1 it has errors (with --strict: or warnings), 2 usage.
int validate(const std::vector<std::string>& arguments, const Environment& environment,
             std::ostream& out, std::ostream& err);

}  // namespace atelier::cmd
