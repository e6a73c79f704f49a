// A client that costs next to nothing: one connection, one request at a time, no parsing beyond the
// length. And the server that it talks to, in a process of its own so that its CPU time is its own.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "tests/bench/figures.h"

namespace atelier::bench {

class Client {
  public:
    explicit Client(std::uint16_t port);
    ~Client();
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    void send(std::string_view method, std::string_view target, std::string_view body = {},
              std::string_view type = "application/json");
    // The status of the answer.
    int ask(std::string_view method, std::string_view target, std::string_view body = {},
            std::string_view type = "application/json");
    // Of the last answer, until the next request.
    std::string_view body() const { return std::string_view(buffer_).substr(body_at_); }
    int descriptor() const { return socket_; }

  private:
    void read();
    int socket_;
    std::string buffer_;
    std::size_t body_at_ = 0;
};

// Our API over plain HTTP on a free port, with so many Workspaces in the namespace "stored". It
// also answers GET /bare/<n> with n bytes and nothing done for them. Killed in the end.
class Server {
  public:
    Server(const std::string& store_url, int objects);
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    pid_t process() const { return process_; }
    std::uint16_t port() const { return port_; }
    double seconds_to_serve() const { return seconds_to_serve_; }

  private:
    pid_t process_ = 0;
    std::uint16_t port_ = 0;
    double seconds_to_serve_ = 0;
};

}  // namespace atelier::bench
