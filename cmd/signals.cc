#include "cmd/signals.h"

namespace atelier::cmd {

Signals::Signals() {
    sigemptyset(&set_);
    sigaddset(&set_, SIGTERM);
    sigaddset(&set_, SIGINT);
    sigaddset(&set_, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &set_, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
}

int Signals::wait() {
    int number = 0;
    sigwait(&set_, &number);
    return number;
}

void Signals::release() {
    sigset_t ends = set_;
    sigdelset(&ends, SIGHUP);
    pthread_sigmask(SIG_UNBLOCK, &ends, nullptr);
}

}  // namespace atelier::cmd
