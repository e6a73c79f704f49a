#include "drivers/process/spawn.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <functional>

#include "base/file.h"
#include "base/text.h"

namespace atelier::drivers {

namespace {

constexpr std::int64_t unknown_exit = 255;
constexpr int after_kill_ms = 10'000;

// glibc 2.36 has wrappers for these in <sys/pidfd.h>, which does not compile as C++ with every
// kernel header.
int open_pid(int pid) {
    return static_cast<int>(syscall(SYS_pidfd_open, pid, 0U));
}

Error cannot(std::string_view doing, int number) {
    Error error = error_of_errno(number, doing, {});
    // There is no file to be named.
    if (const std::size_t at = error.message.find(" \"\""); at != std::string::npos) {
        error.message.erase(at, 3);
    }
    return error;
}

// The file of a command, as execvp would find it with that PATH, from that folder.
Result<std::string> program_of(const std::string& name, const std::string& path,
                               const std::filesystem::path& folder) {
    if (name.find('/') != std::string::npos) {
        const std::filesystem::path file = folder / name;  // name alone, when it is absolute
        std::error_code ignored;
        if (access(file.c_str(), F_OK) != 0) {
            return Error{Code::not_found, "there is no program \"" + name + "\""};
        }
        if (access(file.c_str(), X_OK) != 0 || std::filesystem::is_directory(file, ignored)) {
            return Error{Code::forbidden, "\"" + name + "\" is not executable"};
        }
        return file.string();
    }
    for (const std::string& part : split(path, ':')) {
        if (part.empty()) continue;
        const std::filesystem::path file = std::filesystem::path(part) / name;
        std::error_code ignored;
        if (access(file.c_str(), X_OK) == 0 && !std::filesystem::is_directory(file, ignored)) {
            return file.string();
        }
    }
    return Error{Code::not_found, "there is no program \"" + name + "\""};
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> list;
    for (std::string& text : texts) list.push_back(text.data());
    list.push_back(nullptr);
    return list;
}

// What a child does between fork and exec: only calls that are safe after the fork of a process
// with threads (signal-safety(7)). Never returns; a failure's errno goes to `failure`.
[[noreturn]] void become(const Spawn& what, const char* program, char* const* argv,
                         char* const* envp, int failure) {
    const auto give_up = [failure] {
        const int number = errno;
        static_cast<void>(!write(failure, &number, sizeof number));
        _exit(127);
    };
    setsid();
    if (what.adopts_orphans) prctl(PR_SET_CHILD_SUBREAPER, 1);
    struct sigaction usual {};
    usual.sa_handler = SIG_DFL;
    for (int signal = 1; signal < NSIG; ++signal) sigaction(signal, &usual, nullptr);
    const int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (chdir(what.folder.c_str()) != 0 || nothing < 0 || dup2(nothing, 0) < 0 ||
        dup2(what.out, 1) < 0 || dup2(what.err, 2) < 0) {
        give_up();
    }
    close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    execve(program, argv, envp);
    give_up();
    _exit(127);
}

// A process as /proc/<pid>/stat has it.
struct Stat {
    char state = '?';
    int parent = 0;
    std::int64_t start_ticks = 0;
};

Result<Stat> stat_of(int pid) {
    const Error unreadable{Code::internal, "the state of a process cannot be read"};
    const std::string stat = TRY(read_file("/proc/" + std::to_string(pid) + "/stat", 1 << 16));
    // The second field is the name in parentheses, which may hold anything.
    const std::size_t name_end = stat.rfind(')');
    if (name_end == std::string::npos || name_end + 2 >= stat.size()) return unreadable;
    const std::vector<std::string> fields = split(stat.substr(name_end + 2), ' ');
    if (fields.size() < 20 || fields[0].empty()) return unreadable;
    Stat out;
    out.state = fields[0][0];
    std::from_chars(fields[1].data(), fields[1].data() + fields[1].size(), out.parent);
    std::from_chars(fields[19].data(), fields[19].data() + fields[19].size(), out.start_ticks);
    return out;
}

Result<std::string> boot_id() {
    const std::string text = TRY(read_file("/proc/sys/kernel/random/boot_id", 4096));
    return std::string(trim(text));
}

std::vector<int> all_processes() {
    std::vector<int> pids;
    std::error_code failed;
    for (const auto& folder : std::filesystem::directory_iterator("/proc", failed)) {
        const std::string name = folder.path().filename();
        int pid = 0;
        const auto parsed = std::from_chars(name.data(), name.data() + name.size(), pid);
        if (parsed.ec == std::errc{} && parsed.ptr == name.data() + name.size()) {
            pids.push_back(pid);
        }
    }
    return pids;
}

// A pipe of a child's output.
struct Pipe {
    Descriptor read;
    Descriptor write;

    Result<void> open() {
        std::array<int, 2> ends{};
        if (pipe2(ends.data(), O_CLOEXEC) != 0) return cannot("cannot open a pipe", errno);
        read.reset(ends[0]);
        write.reset(ends[1]);
        fcntl(read.get(), F_SETFL, O_NONBLOCK);
        return {};
    }
    // All that is there now. Closes at the end of the stream.
    void drain(std::string& into, std::size_t most, bool& truncated) {
        std::array<char, 65536> buffer{};
        while (read) {
            const ssize_t size = ::read(read.get(), buffer.data(), buffer.size());
            if (size < 0 && errno == EINTR) continue;
            if (size < 0) return;
            if (size == 0) return read.reset();
            const std::size_t got = static_cast<std::size_t>(size);
            const std::size_t kept = std::min(got, most - into.size());
            into.append(buffer.data(), kept);
            truncated = truncated || kept < got;
        }
    }
};

Result<Descriptor> timer_of(Duration duration) {
    Descriptor timer(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC));
    if (!timer) return cannot("cannot make a timer", errno);
    const auto micros = std::max<std::int64_t>(duration.count(), 1);
    itimerspec when{};
    when.it_value.tv_sec = micros / 1'000'000;
    when.it_value.tv_nsec = micros % 1'000'000 * 1000;
    if (timerfd_settime(timer.get(), 0, &when, nullptr) != 0) {
        return cannot("cannot set a timer", errno);
    }
    return timer;
}

}  // namespace

Result<int> spawn(const Spawn& what) {
    const auto path = what.env.find("PATH");
    const std::string program =
        TRY(program_of(what.command[0], path == what.env.end() ? "" : path->second, what.folder));
    std::vector<std::string> words = what.command;
    std::vector<std::string> variables;
    for (const auto& [name, value] : what.env) variables.push_back(name + "=" + value);
    const std::vector<char*> argv = pointers(words);
    const std::vector<char*> envp = pointers(variables);
    Pipe failure;
    TRY(failure.open());
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    // No handler of ours may run in the child.
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const pid_t pid = fork();
    if (pid == 0) become(what, program.c_str(), argv.data(), envp.data(), failure.write.get());
    const int forked = errno;
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    if (pid < 0) return cannot("cannot start \"" + what.command[0] + "\"", forked);
    failure.write.reset();
    int number = 0;
    fcntl(failure.read.get(), F_SETFL, 0);
    ssize_t got = 0;
    while ((got = read(failure.read.get(), &number, sizeof number)) < 0 && errno == EINTR) continue;
    if (got == 0) return pid;  // closed by exec
    waitpid(pid, nullptr, 0);
    return cannot("cannot start \"" + what.command[0] + "\"", number);
}

Result<ProcessIdentity> identity_of(int pid) {
    const Stat stat = TRY(stat_of(pid));
    const std::string boot = TRY(boot_id());
    return ProcessIdentity{pid, stat.start_ticks, boot};
}

std::optional<Descriptor> open_process(const ProcessIdentity& identity) {
    if (identity.pid <= 0) return std::nullopt;
    const int pid = static_cast<int>(identity.pid);
    // The descriptor is opened before the process is identified: the answer then holds for it.
    Descriptor process(open_pid(pid));
    if (!process) return std::nullopt;
    const auto now = identity_of(pid);
    if (!now || now->start_ticks != identity.start_ticks || now->boot_id != identity.boot_id) {
        return std::nullopt;
    }
    return process;
}

namespace {

std::vector<std::string> environment_entries(int pid) {
    const auto text = read_file("/proc/" + std::to_string(pid) + "/environ", std::size_t{8} << 20);
    return text ? split(*text, '\0') : std::vector<std::string>();
}

// Calls `take` with the number and a descriptor of each process that has the entry.
void each_process_with(std::string_view entry, const std::function<void(int, int)>& take) {
    for (const int pid : all_processes()) {
        // The descriptor is opened first: what is read then belongs to that process and no later
        // one.
        const Descriptor process(open_pid(pid));
        if (!process) continue;
        const std::vector<std::string> entries = environment_entries(pid);
        if (std::find(entries.begin(), entries.end(), entry) == entries.end()) continue;
        take(pid, process.get());
    }
}

}  // namespace

std::vector<int> processes_with(std::string_view entry) {
    std::vector<int> found;
    each_process_with(entry, [&](int pid, int) { found.push_back(pid); });
    return found;
}

void signal_processes_with(std::string_view entry, int signal) {
    each_process_with(entry, [signal](int, int process) { send_signal(process, signal); });
}

Result<std::map<std::string, std::string>> environment_of_process(int pid) {
    std::map<std::string, std::string> env;
    for (const std::string& entry : environment_entries(pid)) {
        const std::size_t equals = entry.find('=');
        if (equals == std::string::npos || equals == 0) continue;
        env.emplace(entry.substr(0, equals), entry.substr(equals + 1));
    }
    if (env.empty()) return Error{Code::not_found, "the environment of a process is not readable"};
    return env;
}

Descendants descendants_of(const std::vector<int>& pids) {
    Descendants found;
    const auto boot = boot_id();
    if (pids.empty() || !boot) return found;
    std::map<int, std::vector<std::pair<int, Stat>>> children;
    for (const int pid : all_processes()) {
        if (const auto stat = stat_of(pid)) children[stat->parent].emplace_back(pid, *stat);
    }
    for (const int root : pids) {
        std::vector<int> parents{root};
        while (!parents.empty()) {
            const int parent = parents.back();
            parents.pop_back();
            // Taken out of the map: numbers that are reused during the scan cannot make a circle.
            const auto node = children.extract(parent);
            if (node.empty()) continue;
            for (const auto& [pid, stat] : node.mapped()) {
                parents.push_back(pid);
                if (stat.state != 'Z') found[root].push_back({pid, stat.start_ticks, *boot});
            }
        }
    }
    return found;
}

void kill_processes(const std::vector<ProcessIdentity>& processes) {
    for (const ProcessIdentity& identity : processes) {
        if (const auto process = open_process(identity)) send_signal(process->get(), SIGKILL);
    }
}

void kill_descendants_of(int pid) {
    // Each round ends all that there is; a program that forks faster than that is ended by its
    // limits, not by us.
    constexpr int most_rounds = 20;
    for (int round = 0; round < most_rounds; ++round) {
        const auto found = descendants_of({pid});
        if (found.empty()) return;
        kill_processes(found.begin()->second);
    }
}

void send_signal(int process, int signal) {
    syscall(SYS_pidfd_send_signal, process, signal, nullptr, 0U);
}

bool has_ended(int process) {
    pollfd ended{process, POLLIN, 0};
    return poll(&ended, 1, 0) > 0;
}

std::int64_t reap(int process) {
    siginfo_t info{};
    const auto id = static_cast<id_t>(process);
    if (waitid(P_PIDFD, id, &info, WEXITED | WNOHANG) != 0 || info.si_pid == 0) {
        return unknown_exit;
    }
    return info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
}

Result<ExecResult> run_to_end(Spawn what, Duration deadline, std::size_t most_output) {
    Pipe out;
    Pipe err;
    TRY(out.open());
    TRY(err.open());
    const Descriptor timer = TRY(timer_of(deadline));
    what.out = out.write.get();
    what.err = err.write.get();
    auto started = spawn(what);
    if (!started) {
        const Code code = started.error().code;
        if (code != Code::not_found && code != Code::forbidden) return std::move(started).error();
        // The exit codes of a shell.
        return ExecResult{code == Code::not_found ? 127 : 126, "", started.error().message + "\n"};
    }
    const int pid = *started;
    out.write.reset();
    err.write.reset();
    const Descriptor process(open_pid(pid));
    if (!process) return cannot("cannot watch a command", errno);

    ExecResult result;
    bool late = false;
    while (!late && !has_ended(process.get())) {
        std::array<pollfd, 4> ready{{{process.get(), POLLIN, 0},
                                     {timer.get(), POLLIN, 0},
                                     {out.read.get(), POLLIN, 0},
                                     {err.read.get(), POLLIN, 0}}};
        poll(ready.data(), ready.size(), -1);
        out.drain(result.out, most_output, result.truncated);
        err.drain(result.err, most_output, result.truncated);
        late = (ready[1].revents & POLLIN) != 0 && !has_ended(process.get());
    }
    if (late) {
        kill_descendants_of(pid);
        kill(-pid, SIGKILL);
        // A process that the kernel holds, in a file system that hangs, ends later or never.
        pollfd ended{process.get(), POLLIN, 0};
        poll(&ended, 1, after_kill_ms);
        reap(process.get());
        return Error{Code::timeout, "the command did not end in time"};
    }
    result.exit_code = reap(process.get());
    out.drain(result.out, most_output, result.truncated);
    err.drain(result.err, most_output, result.truncated);
    return result;
}

}  // namespace atelier::drivers
