// `atelier rekey`: a new encryption key for the Secrets in the database of a server that is
// stopped.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "base/environment.h"

namespace atelier::cmd {

// Returns an exit code. Takes the options of the server. Safe to be ended at any point: the key
// file holds both keys until everything is sealed under the new one.
int rekey(const std::vector<std::string>& arguments, const Environment& environment,
          std::ostream& out, std::ostream& err);

}  // namespace atelier::cmd
