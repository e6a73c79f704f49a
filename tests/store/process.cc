#include "process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <pwd.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

namespace atelier::store {

Child::Child(const std::string& test, const std::vector<std::string>& environment) {
    int ends[2] = {-1, -1};
    if (pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
    std::vector<std::string> arguments{"/proc/self/exe", "--gtest_also_run_disabled_tests",
                                       "--gtest_filter=" + test};
    std::vector<char*> argv;
    for (auto& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    std::vector<std::string> variables = environment;
    for (char** v = environ; *v; ++v) variables.emplace_back(*v);
    std::vector<char*> envp;
    for (auto& variable : variables) envp.push_back(variable.data());
    envp.push_back(nullptr);

    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    // Not 1: what the test framework prints goes there.
    posix_spawn_file_actions_adddup2(&actions, ends[1], 3);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    const int failed = posix_spawn(&pid_, argv[0], &actions, nullptr, argv.data(), envp.data());
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    output_ = ends[0];
    if (failed != 0) throw std::runtime_error("the child did not start");
}

Child::~Child() {
    kill_now();
    close(output_);
}

void Child::kill_now() {
    if (pid_ == 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = 0;
}

std::string Child::read_line() {
    while (true) {
        const std::size_t end = buffer_.find('\n');
        if (end != std::string::npos) {
            std::string line = buffer_.substr(0, end);
            buffer_.erase(0, end + 1);
            return line;
        }
        char bytes[4096];
        const ssize_t n = read(output_, bytes, sizeof bytes);
        if (n <= 0) return "";
        buffer_.append(bytes, static_cast<std::size_t>(n));
    }
}

std::unique_ptr<PostgresServer> PostgresServer::start() {
    std::unique_ptr<PostgresServer> server(new PostgresServer);
    for (const char* version : {"17", "16", "15", "14", "13"}) {
        const std::string programs = fmt::format("/usr/lib/postgresql/{}/bin", version);
        if (std::filesystem::exists(programs + "/initdb")) server->programs_ = programs;
        if (!server->programs_.empty()) break;
    }
    if (server->programs_.empty()) return nullptr;
    // PostgreSQL does not run as root.
    if (getuid() == 0) {
        const passwd* user = getpwnam("postgres");
        if (!user || chown(server->folder_.path().c_str(), user->pw_uid, user->pw_gid) != 0) {
            return nullptr;
        }
    }
    if (!server->control("initdb -D {0}/data -A trust -U postgres --no-sync")) return nullptr;
    server->start_again();
    return server;
}

PostgresServer::~PostgresServer() {
    control("pg_ctl -D {0}/data -m immediate -w stop");
}

bool PostgresServer::control(const std::string& command) const {
    const std::string full =
        fmt::format("{}/{} >/dev/null 2>&1", programs_,
                    fmt::format(fmt::runtime(command), folder_.path().string()));
    const std::string wrapped =
        getuid() == 0 ? fmt::format("su postgres -s /bin/sh -c \"{}\"", full) : full;
    return std::system(wrapped.c_str()) == 0;
}

std::string PostgresServer::url() const {
    std::string folder;
    for (const char c : folder_.path().string()) folder += c == '/' ? "%2F" : std::string(1, c);
    return fmt::format("postgres://postgres@{}/postgres", folder);
}

void PostgresServer::stop_immediately() {
    if (!control("pg_ctl -D {0}/data -m immediate -w stop"))
        throw std::runtime_error("pg_ctl stop");
}

void PostgresServer::start_again() {
    if (!control("pg_ctl -D {0}/data -w -l {0}/log -o '-k {0} -c listen_addresses=' start")) {
        throw std::runtime_error("pg_ctl start");
    }
}

}  // namespace atelier::store
