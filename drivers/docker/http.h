// Calls to the Docker Engine's HTTP API: where it listens, which version both sides speak, one
// deadline a call. What the replies mean is the matter of api.h and the files above it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"

namespace atelier::drivers {

struct DockerTls {
    std::string ca_file;  // PEM; the server must be signed by it
    std::string certificate_file;
    std::string key_file;
};

struct DockerRequest {
    std::string method;
    std::string path;  // below the version: "/containers/json?all=1", escaped
    std::string body = {};
    std::string content_type = "application/json";
    // Instead of `body`: fills the buffer and says how much; 0 ends it, an error ends the call.
    std::function<Result<std::size_t>(char*, std::size_t)> upload = {};
    // Instead of keeping the body of a successful reply.
    std::function<void(std::string_view)> sink = {};
    Duration deadline = std::chrono::seconds(60);  // of the whole call; zero: none
    std::stop_token stop = {};                     // ends the call soon with Code::cancelled
};

struct DockerReply {
    int status = 0;
    std::string body;

    bool ok() const { return status >= 200 && status < 300; }
    // What the daemon said: its JSON "message", or the body as it is. For Error.detail.
    std::string message() const;
    // The body as JSON; internal when it is none.
    Result<json::Document> json() const;
};

// Thread-safe: each call borrows a connection from a pool.
class DockerHttp {
  public:
    // "unix:///var/run/docker.sock" or "tcp://host:2376". Does not connect.
    static Result<std::unique_ptr<DockerHttp>> open(const std::string& host,
                                                    const std::optional<DockerTls>& tls);
    ~DockerHttp();
    DockerHttp(const DockerHttp&) = delete;
    DockerHttp& operator=(const DockerHttp&) = delete;

    // Any status that the daemon gave is a reply. Errors: unavailable (no connection, or it broke),
    // timeout, cancelled, too_large (a reply over 64 MiB), what `upload` returned.
    Result<DockerReply> call(const DockerRequest& request);
    // The daemon's clock when it first answered, in seconds since 1970; zero before that.
    std::int64_t first_contact() const;

  private:
    struct Lease;
    DockerHttp() = default;
    Result<std::string> version(Duration deadline);
    void address(void* handle, const std::string& path) const;
    void* borrow();
    void give_back(void* handle);

    std::string socket_;  // a path, or empty
    std::string base_;    // "http://docker" or "https://host:port"
    std::optional<DockerTls> tls_;
    mutable std::mutex mutex_;
    std::vector<void*> idle_;
    std::string version_;
    std::int64_t first_contact_ = 0;
};

// Percent-encoded for a query.
std::string url_escape(std::string_view text);

}  // namespace atelier::drivers
