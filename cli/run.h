// The command line: every verb of `atelier` but `server`.
#pragma once

#include <atomic>
#include <iosfwd>
#include <string>
#include <vector>

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

// All that a verb knows of the process around it. Outlives run().
struct ProcessContext {
    Terminal& terminal;
    const Environment& environment;
    const Clock& clock;
    const std::atomic<bool>& interrupted;  // SIGINT or SIGTERM came: end soon, with 130
    std::string version;
    std::string commit;  // may be empty
};

namespace exit_code {
inline constexpr int fine = 0;
inline constexpr int error = 1;
inline constexpr int usage = 2;
inline constexpr int timed_out = 3;
inline constexpr int stalled = 4;
inline constexpr int rolled_back = 5;
inline constexpr int waiting_for_approval = 6;
inline constexpr int forbidden = 7;
inline constexpr int conflict = 8;
inline constexpr int interrupted = 130;
}  // namespace exit_code

// `arguments` without the program's name. Returns the exit code. Throws nothing.
int run(const std::vector<std::string>& arguments, const ProcessContext& process);

}  // namespace atelier::cli
