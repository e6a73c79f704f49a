// The HTTP client of the command line. http_client.cc alone uses cpprestsdk.
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

// A streamed answer, line by line. The destructor ends the request.
class LineStream {
  public:
    virtual ~LineStream() = default;
    virtual int status() const = 0;
    // The next line; nothing when none comes within `patience`. Code::unavailable after the last.
    virtual Result<std::optional<std::string>> next(Duration patience) = 0;
};

// Requests to one server. Connections are kept open; redirects are not followed. Used from one
// thread.
class HttpClient {
  public:
    virtual ~HttpClient() = default;
    // An answer with any HTTP status is a success. Code::unavailable, Code::timeout,
    // Code::too_large (a body over 64 MiB), or Code::cancelled once `interrupted` is true.
    virtual Result<HttpAnswer> send(const HttpRequest& request) = 0;
    virtual Result<std::unique_ptr<LineStream>> stream(const HttpRequest& request) = 0;
};

// Makes a client; no request is sent yet. When connection.ca_pem is set, only certificates that it
// signed are trusted. `interrupted` must outlive the client.
Result<std::unique_ptr<HttpClient>> connect(const Connection& connection, Duration timeout,
                                            const std::atomic<bool>& interrupted);

}  // namespace atelier::cli
