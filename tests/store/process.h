// Processes of the tests' own: a copy of this program that writes, and a PostgreSQL server.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "world.h"

namespace atelier::store {

// Runs this test program anew with one (disabled) test of it and more environment. Killed when
// destroyed.
class Child {
  public:
    Child(const std::string& test, const std::vector<std::string>& environment);
    ~Child();
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;

    std::string read_line();  // empty at the end of its output
    void kill_now();          // SIGKILL, and waits

  private:
    pid_t pid_ = 0;
    int output_ = -1;
    std::string buffer_;
};

// A PostgreSQL server of our own in a folder of its own, on a unix socket. nullptr when its
// programs are not installed.
class PostgresServer {
  public:
    static std::unique_ptr<PostgresServer> start();
    ~PostgresServer();
    std::string url() const;
    void stop_immediately();
    void start_again();

  private:
    PostgresServer() = default;
    bool control(const std::string& command) const;
    Folder folder_;
    std::string programs_;
};

}  // namespace atelier::store
