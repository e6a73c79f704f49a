// `atelier rekey`: encrypts the Secrets of a database under a new key. The server must be stopped.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "base/environment.h"

namespace atelier::cmd {

// Takes the options of the server; returns an exit code. It may be ended at any point: the key file
// holds both keys until everything is sealed under the new one.
int rekey(const std::vector<std::string>& arguments, const Environment& environment,
          std::ostream& out, std::ostream& err);

}  // namespace atelier::cmd
