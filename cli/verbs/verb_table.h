// The verbs of the command line: the name, the help and the flags of each, and its entry point.
// The table feeds the parser, `--help`, and the script of `completion`.
#pragma once

#include <string_view>
#include <vector>

#include "cli/session/session.h"

namespace atelier::cli {

struct Verb {
    std::string_view name;
    std::string_view summary;   // one line
    std::string_view usage;     // after "atelier "
    std::string_view examples;  // lines, each a command
    std::vector<Flag> flags;    // beside the global ones
    int (*run)(Session&) = nullptr;
};

const std::vector<Verb>& verbs();
const std::vector<Flag>& global_flags();

}  // namespace atelier::cli
