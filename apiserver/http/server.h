// The HTTP/1.1 server: Boost.Beast behind http.h, TLS by OpenSSL.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "apiserver/http/http.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/result.h"

namespace atelier::apiserver {

struct TlsFiles {
    std::string certificate_pem;  // the chain, not a path
    std::string key_pem;
    std::string client_ca_pem;  // empty: client certificates are not asked for
};

struct HttpOptions {
    std::string address = "127.0.0.1";
    std::uint16_t port = 0;  // 0: any free one
    int threads = 2;
    std::size_t header_bytes = 16 << 10;
    std::size_t body_bytes = 3 << 20;
    Duration header_deadline = std::chrono::seconds(10);
    Duration body_deadline = std::chrono::seconds(30);
    Duration idle_deadline = std::chrono::minutes(5);    // between requests of one connection
    Duration write_deadline = std::chrono::seconds(30);  // without progress
    // Queued to one slow reader. More than what a writer that asks queued() first can come to: the
    // share of a watcher and the largest object.
    std::size_t stream_cap_bytes = 4 << 20;
    std::size_t connections = 16'000;
    // Bytes that all unanswered requests may hold, of bodies and large heads; a request that passes
    // the bound is answered with 429. The second bound is for clients that are not, or not yet,
    // authenticated.
    std::size_t request_bytes = 96 << 20;
    std::size_t anonymous_request_bytes = 16 << 20;
    TlsFiles tls;  // empty certificate: plain HTTP, for tests
};

class HttpServer {
  public:
    virtual ~HttpServer() = default;  // stops
    virtual std::uint16_t port() const = 0;
    // Takes no new connection or request, waits at most `grace` for the answers that are under way,
    // then closes all connections.
    virtual void stop(Duration grace) = 0;
    // New connections use these files from now on; open ones keep theirs. Thread-safe.
    // Code::invalid, and nothing changes, when the files cannot be used or the server has no TLS.
    virtual Result<void> use_tls(const TlsFiles& files) = 0;
};

// Listens before it returns; unavailable when the port is taken. Without `check` every body is
// read.
Result<std::unique_ptr<HttpServer>> serve(const HttpOptions& options, Handler handler,
                                          Metrics& metrics, Log log, HeadCheck check = {});

}  // namespace atelier::apiserver
