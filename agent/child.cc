#include "agent/child.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "base/file.h"
#include "base/folder.h"

namespace atelier::agent {

Result<pid_t> start_child(const std::vector<std::string>& command) {
    std::vector<char*> arguments;
    for (const std::string& argument : command) {
        arguments.push_back(const_cast<char*>(argument.c_str()));
    }
    arguments.push_back(nullptr);

    // Through this pipe the child reports why it could not become the program; exec closes it.
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return error_of_errno(errno, "cannot start", command[0]);
    const Descriptor reading(ends[0]);
    Descriptor writing(ends[1]);
    const pid_t parent = getpid();
    const pid_t pid = fork();
    if (pid < 0) return error_of_errno(errno, "cannot start", command[0]);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent) _exit(127);
        sigset_t none;
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, nullptr);
        execvp(arguments[0], arguments.data());
        const int number = errno;
        const ssize_t written = write(ends[1], &number, sizeof number);
        _exit(written == sizeof number ? 126 : 127);
    }
    writing = Descriptor();
    int number = 0;
    ssize_t n = 0;
    do {
        n = read(reading.get(), &number, sizeof number);
    } while (n < 0 && errno == EINTR);
    if (n != sizeof number) return pid;
    while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
    }
    return error_of_errno(number, "cannot start", command[0]);
}

std::vector<Ended> reap() {
    std::vector<Ended> ended;
    while (true) {
        int status = 0;
        const pid_t pid = waitpid(-1, &status, WNOHANG);
        if (pid < 0 && errno == EINTR) continue;
        if (pid <= 0) return ended;
        ended.push_back({pid, WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status)});
    }
}

}  // namespace atelier::agent
