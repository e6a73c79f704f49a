// Runs a command line in this process, with streams and an environment of its own.
#pragma once

#include <atomic>
#include <sstream>
#include <string>
#include <vector>

#include "cli/run.h"

namespace atelier::cli::test {

struct Ran {
    int code = -1;
    std::string out;
    std::string err;
};

struct Process {
    std::map<std::string, std::string, std::less<>> variables;
    std::string input;
    bool terminal = false;
    std::atomic<bool> interrupted = false;

    Ran run(const std::vector<std::string>& arguments) {
        std::istringstream in(input);
        std::ostringstream out;
        std::ostringstream err;
        Terminal streams{in, out, err, terminal, 80};
        const Environment environment(variables);
        const SystemClock clock;
        const ProcessContext process{streams, environment, clock, interrupted, "1.2.3", "abc"};
        Ran ran;
        ran.code = cli::run(arguments, process);
        ran.out = out.str();
        ran.err = err.str();
        return ran;
    }
};

}  // namespace atelier::cli::test
