// A client of bytes: sends exactly what a test says, over TCP or TLS, and waits with a bound.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace atelier::apiserver::test {

struct RawResponse {
    int status = 0;
    std::string head;
    std::map<std::string, std::string> headers;  // names in lower case
    std::string body;                            // de-chunked
    bool complete = false;                       // false: the connection ended before
};

class RawClient {
  public:
    // With `ca_pem` the connection is TLS, and the server must prove `host` by that CA.
    explicit RawClient(std::uint16_t port, const std::string& ca_pem = "",
                       const std::string& host = "localhost", const std::string& alpn = "");
    ~RawClient();
    RawClient(const RawClient&) = delete;
    RawClient& operator=(const RawClient&) = delete;

    bool connected() const;
    bool send(std::string_view bytes);
    void end_sending();
    // Stops reading for good: what the server sends fills the socket's buffer.
    void shrink_receive_buffer();
    // Reads at most `most` bytes once; empty at the end of the connection or after ten seconds.
    std::string read_some(std::size_t most = 65536);
    bool at_end();  // reads until the end; false after ten seconds without it
    // Reads until `text` was seen; all that was read and not yet given out.
    std::string read_until(std::string_view text);
    // Whether `text` comes within `bound`; what was read stays to be given out.
    bool read_until_or(std::string_view text, std::chrono::milliseconds bound);
    RawResponse response(bool head_only = false);
    std::string alpn() const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

std::string get(std::string_view path);  // a GET with a Host header

}  // namespace atelier::apiserver::test
