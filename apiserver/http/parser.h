// One request from bytes: the parser of Boost.Beast, and the checks that it leaves to its user.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "apiserver/http/http.h"

namespace atelier::apiserver {

// Not thread-safe. For each message: feed until done or failed, take, reset.
class RequestParser {
  public:
    struct Limits {
        std::size_t header_bytes = 0;  // the request line and all fields together
        std::size_t body_bytes = 0;
        std::size_t target_bytes = 8 << 10;
    };
    enum class Outcome { need_more, head, done, failed };

    explicit RequestParser(const Limits& limits);
    ~RequestParser();

    // Consumes `used` bytes from the front of `bytes`; give the rest again with what follows.
    // Outcome::head is returned once, when a body follows the head.
    Outcome feed(std::string_view bytes, std::size_t& used);
    Request take();
    void reset();

    bool head_seen() const;
    const Request& head() const;        // after `head`; its body is what has arrived so far
    std::size_t body_size() const;      // of what has arrived
    std::size_t body_capacity() const;  // the memory that it takes
    // What the connection must know of the request after `head`, `done` or `failed`.
    bool keep_alive() const;
    bool http_1_0() const;
    bool is_head_method() const;
    bool expects_continue() const;
    // After `failed`: the status to answer with, and why.
    int status() const { return status_; }
    const std::string& message() const { return message_; }

  private:
    class Impl;
    Outcome fail(int status, std::string message);
    Outcome check_head();

    Limits limits_;
    std::unique_ptr<Impl> impl_;
    int status_ = 0;
    std::string message_;
};

}  // namespace atelier::apiserver
