// The program that a workspace runs, as a child of the agent.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/result.h"

namespace atelier::agent {

// Starts the command, found by PATH, with the agent's environment and standard streams. It is
// killed when the agent ends. not_found: there is no such program; forbidden: it cannot be run.
Result<pid_t> start_child(const std::vector<std::string>& command);

struct Ended {
    pid_t pid = 0;
    int exit_code = 0;  // 128 and the signal's number for one that was killed
};
// Reaps every child that has ended, without waiting. Process 1 also reaps orphans.
std::vector<Ended> reap();

}  // namespace atelier::agent
