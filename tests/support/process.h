// What tests need of the real world: temporary folders, programs, a git server.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

namespace atelier::support {

class TemporaryDirectory {
  public:
    TemporaryDirectory();
    ~TemporaryDirectory();
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
    const std::filesystem::path& path() const { return path_; }

  private:
    std::filesystem::path path_;
};

// Runs a program to its end and gives back its standard output; a failure ends the test program
// with what the program said.
std::string run(const std::vector<std::string>& command, const std::string& input = {});

// tests/support/git_http_server.py over the repositories of `root`, until destroyed. `old`:
// speaks version 0 of the protocol only. `certificate`: a file of a certificate and its key, for
// TLS.
class GitServer {
  public:
    explicit GitServer(const std::filesystem::path& root, const std::string& token = {},
                       bool old = false, const std::filesystem::path& certificate = {});
    ~GitServer();
    GitServer(const GitServer&) = delete;
    GitServer& operator=(const GitServer&) = delete;
    std::string url(const std::string& repository) const;
    // One line a request: method, path, "auth" or "anonymous".
    std::vector<std::string> requests() const;

  private:
    pid_t pid_ = -1;
    int input_ = -1;
    int port_ = 0;
    bool tls_ = false;
    std::filesystem::path log_;
};

// A bare repository, written to by git's own commands.
class Repository {
  public:
    explicit Repository(std::filesystem::path bare);
    // Writes files ("path" -> bytes; "path" -> "->target" makes a symbolic link; a path that ends
    // in
    // '!' is executable) as the whole content of a new commit on a branch. Its id.
    std::string commit(const std::vector<std::pair<std::string, std::string>>& files,
                       const std::string& branch = "main");
    std::string git(const std::vector<std::string>& arguments, const std::string& input = {}) const;
    const std::filesystem::path& path() const { return bare_; }

  private:
    std::filesystem::path bare_;
};

}  // namespace atelier::support
