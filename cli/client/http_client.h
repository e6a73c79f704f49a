// HTTP as the command line needs it. cpprestsdk is behind it, in http_client.cc alone.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "cli/client/kubeconfig.h"

namespace atelier::cli {

struct HttpRequest {
    std::string method = "GET";
    std::string target;  // path and query, encoded
    std::vector<std::pair<std::string, std::string>> headers = {};
    std::string body = {};
};

struct HttpAnswer {
    int status = 0;
    std::map<std::string, std::string> headers;  // names in lower case
    std::string body;
};

// The lines of a streamed answer, as they come. Destroying it ends the request.
class LineStream {
  public:
    virtual ~LineStream() = default;
    virtual int status() const = 0;
    // The next line; nothing when none has come within `patience`. Code::unavailable at the end.
    virtual Result<std::optional<std::string>> next(Duration patience) = 0;
};

// To one server. Keeps connections; follows no redirects. Used from one thread.
class HttpClient {
  public:
    virtual ~HttpClient() = default;
    // Code::unavailable, timeout, too_large (bodies over 64 MiB), or cancelled when `interrupted`
    // became true. An answer with any status is a success.
    virtual Result<HttpAnswer> send(const HttpRequest& request) = 0;
    virtual Result<std::unique_ptr<LineStream>> stream(const HttpRequest& request) = 0;
};

// Trusts connection.ca_pem and nothing else when that is given. No request is made yet.
Result<std::unique_ptr<HttpClient>> connect(const Connection& connection, Duration timeout,
                                            const std::atomic<bool>& interrupted);

}  // namespace atelier::cli
