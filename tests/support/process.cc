#include "tests/support/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <fstream>
#include <thread>

#include "base/result.h"

namespace atelier::support {
namespace {

namespace fs = std::filesystem;

struct Child {
    pid_t pid;
    int input;
    int output;
};

Child start(const std::vector<std::string>& command) {
    std::array<int, 2> in{};
    std::array<int, 2> out{};
    CHECK(pipe2(in.data(), O_CLOEXEC) == 0 && pipe2(out.data(), O_CLOEXEC) == 0);
    std::vector<char*> arguments;
    for (const std::string& argument : command) {
        arguments.push_back(const_cast<char*>(argument.c_str()));
    }
    arguments.push_back(nullptr);
    const pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        dup2(in[0], STDIN_FILENO);
        dup2(out[1], STDOUT_FILENO);
        execvp(arguments[0], arguments.data());
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    return {pid, in[1], out[0]};
}

}  // namespace

TemporaryDirectory::TemporaryDirectory() {
    std::string pattern = (fs::temp_directory_path() / "atelier-test-XXXXXX").string();
    CHECK(mkdtemp(pattern.data()));
    path_ = pattern;
}

TemporaryDirectory::~TemporaryDirectory() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
}

std::string run(const std::vector<std::string>& command, const std::string& input) {
    const Child child = start(command);
    std::thread feeder([&] {
        std::string_view rest = input;
        while (!rest.empty()) {
            const ssize_t n = write(child.input, rest.data(), rest.size());
            if (n <= 0) break;
            rest.remove_prefix(static_cast<std::size_t>(n));
        }
        close(child.input);
    });
    std::string output;
    std::array<char, 65536> buffer{};
    ssize_t n = 0;
    while ((n = read(child.output, buffer.data(), buffer.size())) > 0) {
        output.append(buffer.data(), static_cast<std::size_t>(n));
    }
    feeder.join();
    close(child.output);
    int status = 0;
    waitpid(child.pid, &status, 0);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        std::string text;
        for (const std::string& word : command) text += word + " ";
        std::fprintf(stderr, "failed: %s\n%s\n", text.c_str(), output.c_str());
        std::abort();
    }
    return output;
}

GitServer::GitServer(const fs::path& root, const std::string& token, bool old,
                     const fs::path& certificate)
    : tls_(!certificate.empty()), log_(root / ".requests.log") {
    std::vector<std::string> command{
        "python3",    ATELIER_SOURCE_DIR "/tests/support/git_http_server.py",
        "--root",     root.string(),
        "--log",      log_.string(),
        "--until-eof"};
    if (!token.empty()) command.insert(command.end(), {"--token", token});
    if (old) command.push_back("--old");
    if (tls_) command.insert(command.end(), {"--certificate", certificate.string()});
    const Child child = start(command);
    pid_ = child.pid;
    input_ = child.input;
    std::string line;
    char c = 0;
    while (read(child.output, &c, 1) == 1 && c != '\n') line += c;
    close(child.output);
    if (!line.starts_with("port=")) {
        std::fprintf(stderr, "the git server did not start: %s\n", line.c_str());
        std::abort();
    }
    port_ = std::stoi(line.substr(5));
}

GitServer::~GitServer() {
    close(input_);
    kill(pid_, SIGTERM);
    waitpid(pid_, nullptr, 0);
}

std::string GitServer::url(const std::string& repository) const {
    return (tls_ ? "https://127.0.0.1:" : "http://127.0.0.1:") + std::to_string(port_) + "/" +
           repository;
}

std::vector<std::string> GitServer::requests() const {
    std::vector<std::string> lines;
    std::ifstream in(log_);
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
}

Repository::Repository(fs::path bare) : bare_(std::move(bare)) {
    run({"git", "init", "-q", "--bare", "-b", "main", bare_.string()});
}

std::string Repository::git(const std::vector<std::string>& arguments,
                            const std::string& input) const {
    std::vector<std::string> command{
        "git", "-C", bare_.string(), "-c", "user.name=t", "-c", "user.email=t@example.org"};
    command.insert(command.end(), arguments.begin(), arguments.end());
    std::string output = run(command, input);
    while (output.ends_with('\n')) output.pop_back();
    return output;
}

std::string Repository::commit(const std::vector<std::pair<std::string, std::string>>& files,
                               const std::string& branch) {
    // A stream for `git fast-import`: no working copy, and one process a commit.
    const auto data = [](const std::string& bytes) {
        return "data " + std::to_string(bytes.size()) + "\n" + bytes + "\n";
    };
    std::string stream = "commit refs/heads/" + branch +
                         "\ncommitter t <t@example.org> 1700000000 +0000\n" + data("change");
    const std::string tip = git({"for-each-ref", "--format=%(objectname)", "refs/heads/" + branch});
    if (!tip.empty()) stream += "from " + tip + "\n";
    stream += "deleteall\n";
    for (const auto& [name, bytes] : files) {
        const bool executable = name.ends_with('!');
        const bool link = bytes.starts_with("->");
        stream += link ? "M 120000 inline " : executable ? "M 100755 inline " : "M 100644 inline ";
        stream += (executable ? name.substr(0, name.size() - 1) : name) + "\n";
        stream += data(link ? bytes.substr(2) : bytes);
    }
    git({"fast-import", "--quiet", "--force"}, stream);
    return git({"rev-parse", "refs/heads/" + branch});
}

}  // namespace atelier::support
