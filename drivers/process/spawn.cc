#include "drivers/process/spawn.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
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

// The C library's header for these cannot be used from C++ everywhere.
int open_pid(int pid) {
    return static_cast<int>(syscall(SYS_pidfd_open, pid, 0U));
}
void send_signal(int process, int signal) {
    syscall(SYS_pidfd_send_signal, process, signal, nullptr, 0U);
}

Error cannot(std::string_view doing, int number) {
    return error_of_errno(number, doing, {});
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

struct SpawnAttributes {
    posix_spawnattr_t value;
    SpawnAttributes() {
        posix_spawnattr_init(&value);
        sigset_t none;
        sigset_t all;
        sigemptyset(&none);
        sigfillset(&all);
        posix_spawnattr_setsigmask(&value, &none);
        posix_spawnattr_setsigdefault(&value, &all);
        posix_spawnattr_setflags(&value,
                                 static_cast<short>(POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK |
                                                    POSIX_SPAWN_SETSIGDEF));
    }
    ~SpawnAttributes() { posix_spawnattr_destroy(&value); }
    SpawnAttributes(const SpawnAttributes&) = delete;
    SpawnAttributes& operator=(const SpawnAttributes&) = delete;
};

struct SpawnActions {
    posix_spawn_file_actions_t value;
    explicit SpawnActions(const Spawn& what) {
        posix_spawn_file_actions_init(&value);
        posix_spawn_file_actions_addchdir_np(&value, what.folder.c_str());
        posix_spawn_file_actions_addopen(&value, 0, "/dev/null", O_RDONLY, 0);
        posix_spawn_file_actions_adddup2(&value, what.out, 1);
        posix_spawn_file_actions_adddup2(&value, what.err, 2);
        posix_spawn_file_actions_addclosefrom_np(&value, 3);
    }
    ~SpawnActions() { posix_spawn_file_actions_destroy(&value); }
    SpawnActions(const SpawnActions&) = delete;
    SpawnActions& operator=(const SpawnActions&) = delete;
};

// The 22nd field of /proc/<pid>/stat, and the 3rd: after the name, which may hold anything.
Result<std::pair<char, std::int64_t>> state_and_start(int pid) {
    const std::string stat = TRY(read_file("/proc/" + std::to_string(pid) + "/stat", 1 << 16));
    const std::size_t name_end = stat.rfind(')');
    if (name_end == std::string::npos || name_end + 2 >= stat.size()) {
        return Error{Code::internal, "the state of a process cannot be read"};
    }
    const std::vector<std::string> fields = split(stat.substr(name_end + 2), ' ');
    if (fields.size() < 20) return Error{Code::internal, "the state of a process cannot be read"};
    const std::string& text = fields[19];
    std::int64_t ticks = 0;
    std::from_chars(text.data(), text.data() + text.size(), ticks);
    return std::pair(fields[0].empty() ? '?' : fields[0][0], ticks);
}

// A pipe of a child's output.
struct Pipe {
    Descriptor read;
    Descriptor write;

    Result<void> open() {
        std::array<int, 2> ends{};
        if (pipe2(ends.data(), O_CLOEXEC) != 0) return cannot("opening a pipe", errno);
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
    if (!timer) return cannot("making a timer", errno);
    const auto micros = std::max<std::int64_t>(duration.count(), 1);
    itimerspec when{};
    when.it_value.tv_sec = micros / 1'000'000;
    when.it_value.tv_nsec = micros % 1'000'000 * 1000;
    if (timerfd_settime(timer.get(), 0, &when, nullptr) != 0) {
        return cannot("setting a timer", errno);
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
    const SpawnAttributes attributes;
    const SpawnActions actions(what);
    pid_t pid = 0;
    const int failed = posix_spawn(&pid, program.c_str(), &actions.value, &attributes.value,
                                   argv.data(), envp.data());
    if (failed != 0) return cannot("starting \"" + what.command[0] + "\"", failed);
    return pid;
}

Result<ProcessIdentity> identity_of(int pid) {
    const auto [state, ticks] = TRY(state_and_start(pid));
    const std::string boot = TRY(read_file("/proc/sys/kernel/random/boot_id", 4096));
    return ProcessIdentity{pid, ticks, std::string(trim(boot))};
}

std::optional<Descriptor> open_process(const ProcessIdentity& identity) {
    if (identity.pid <= 0) return std::nullopt;
    const int pid = static_cast<int>(identity.pid);
    // First the descriptor, then the question whose it is: the answer then holds for it.
    Descriptor process(open_pid(pid));
    if (!process) return std::nullopt;
    const auto now = identity_of(pid);
    if (!now || now->start_ticks != identity.start_ticks || now->boot_id != identity.boot_id) {
        return std::nullopt;
    }
    return process;
}

namespace {

// Calls `take` with the number and a descriptor of each process that has the entry.
void each_process_with(std::string_view entry, const std::function<void(int, int)>& take) {
    std::error_code failed;
    for (const auto& folder : std::filesystem::directory_iterator("/proc", failed)) {
        const std::string name = folder.path().filename();
        int pid = 0;
        const auto parsed = std::from_chars(name.data(), name.data() + name.size(), pid);
        if (parsed.ec != std::errc{} || parsed.ptr != name.data() + name.size()) continue;
        // First the descriptor: what is then read is of that process and no later one.
        const Descriptor process(open_pid(pid));
        if (!process) continue;
        const auto environment = read_file(folder.path() / "environ", std::size_t{8} << 20);
        if (!environment) continue;
        const std::vector<std::string> entries = split(*environment, '\0');
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

void kill_processes_with(std::string_view entry) {
    each_process_with(entry, [](int, int process) { send_signal(process, SIGKILL); });
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
        // As a shell has it.
        return ExecResult{code == Code::not_found ? 127 : 126, "", started.error().message + "\n"};
    }
    const int pid = *started;
    out.write.reset();
    err.write.reset();
    const Descriptor process(open_pid(pid));
    if (!process) return cannot("watching a command", errno);

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
        kill(-pid, SIGKILL);
        siginfo_t info{};
        waitid(P_PIDFD, static_cast<id_t>(process.get()), &info, WEXITED);
        return Error{Code::timeout, "the command did not end in time"};
    }
    result.exit_code = reap(process.get());
    out.drain(result.out, most_output, result.truncated);
    err.drain(result.err, most_output, result.truncated);
    return result;
}

}  // namespace atelier::drivers
