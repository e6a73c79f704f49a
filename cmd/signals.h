// Waiting for signals. Make it before the first thread: every thread inherits the blocked signals.
#pragma once

#include <csignal>

namespace atelier::cmd {

class Signals {
  public:
    // Blocks SIGTERM, SIGINT and SIGHUP in this thread and in those that it starts.
    Signals();
    int wait();  // blocks until the next of them comes; its number
    // Unblocks SIGTERM and SIGINT: the next one ends the process at once.
    void release();

  private:
    sigset_t set_{};
};

}  // namespace atelier::cmd
