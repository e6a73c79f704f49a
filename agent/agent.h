// The agent of a workspace: keeps what it has loaded equal to what lies below /configs/plugins,
// says so in status.json, and runs the workspace's program as its child. It is made to be
// process 1.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace atelier::agent {

struct Options {
    std::filesystem::path configs = "/configs";
    std::filesystem::path run = "/run/atelier";
    std::string address = "0.0.0.0";                          // or the absolute path of a socket
    std::optional<std::uint16_t> port = std::uint16_t{8000};  // 0: any free one; absent: no server
    Duration grace = std::chrono::seconds(8);   // between SIGTERM and SIGKILL of the child
    Duration rescan = std::chrono::seconds(5);  // how often to look for changes that inotify missed
    std::vector<std::string> command;           // empty: no child, run until SIGTERM
    std::string version;
};

// Runs on this thread until the child ends, or until SIGTERM or SIGINT when there is none. Yields
// the exit code: the child's, 128 and the number of the signal that ended it, 127 or 126 when it
// cannot be found or run, 0 after a signal without a child. Signals TERM, INT, HUP, QUIT, USR1 and
// USR2 are passed on to the child. A folder that cannot be written, or a port that is taken, is
// reported on standard error; the agent goes on without it.
int run(const Options& options, const Clock& clock);

}  // namespace atelier::agent
