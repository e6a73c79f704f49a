// The program that a workspace runs, as a child of the agent.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/result.h"

namespace atelier::agent {

// Starts the command, found by PATH, with our environment and standard streams. When we die, it is
// killed. not_found and forbidden tell that there is no such program or that it cannot be run.
Result<pid_t> start_child(const std::vector<std::string>& command);

struct Ended {
    pid_t pid = 0;
    int exit_code = 0;  // 128 and the signal's number for one that was killed
};
// Every process that ended and is ours to bury, without waiting: as process 1, orphans too.
std::vector<Ended> reap();

}  // namespace atelier::agent
