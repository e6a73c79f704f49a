// The process around a verb, as values: a test gives its own.
#pragma once

#include <atomic>
#include <iosfwd>
#include <string>

#include "base/clock.h"
#include "base/environment.h"

namespace atelier::cli {

// Where a verb reads and writes. stdout is data, stderr is progress and errors.
struct Terminal {
    std::istream& in;
    std::ostream& out;
    std::ostream& err;
    bool out_is_terminal = false;
    int columns = 80;
};

// All that a verb knows about the process around it. Must outlive run().
struct ProcessContext {
    Terminal& terminal;
    const Environment& environment;
    const Clock& clock;
    const std::atomic<bool>& interrupted;  // set by SIGINT and SIGTERM: end soon, with 130
    std::string version;
    std::string commit;  // may be empty
};

}  // namespace atelier::cli
