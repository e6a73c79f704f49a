// Signals as a value to wait for. Block them before the first thread is made.
#pragma once

#include <csignal>

namespace atelier::cmd {

class Signals {
  public:
    Signals();   // blocks SIGTERM, SIGINT and SIGHUP in this thread and all that it will make
    int wait();  // the next of them
    // From now on a further one of them ends the process at once.
    void release();

  private:
    sigset_t set_{};
};

}  // namespace atelier::cmd
