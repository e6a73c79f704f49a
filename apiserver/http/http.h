// HTTP as the handlers of the API see it. Handlers never see the library behind it.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace atelier::apiserver {

struct Request {
    std::string method;  // upper case
    std::string target;  // as received
    std::string path;    // as received, without the query, without one trailing '/'
    std::vector<std::string>
        segments;  // of path, each percent-decoded; never "", ".", ".." or with NUL or '/'
    std::vector<std::pair<std::string, std::string>> query;    // decoded, in order, duplicates kept
    std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
    std::string body;
    std::string peer;             // address of the client, for the log
    std::string client_identity;  // subject of a verified client certificate; usually empty

    std::string_view header(
        std::string_view lower_case_name) const;                  // the first; empty when absent
    const std::string* query_value(std::string_view name) const;  // the last; nullptr when absent
};

using Headers = std::vector<std::pair<std::string, std::string>>;
using Frame = std::shared_ptr<const std::string>;

// Where the answer goes. Thread-safe: may be used from any thread, after the handler has returned
// too. Exactly one of reply and start is called, once.
class ResponseSink {
  public:
    virtual ~ResponseSink() = default;
    // A whole answer. Content-Length is added; for HEAD the body is not sent.
    virtual void reply(int status, Headers headers, Frame body) = 0;

    // A streamed answer (chunked): start, any number of writes, finish.
    virtual void start(int status, Headers headers) = 0;
    // False when more than the cap was queued already, or the client is gone: the stream is being
    // closed. One frame may be larger than the cap.
    virtual bool write(Frame frame) = 0;
    // Bytes taken by write and not yet taken by the client's socket; 0 once the stream has ended. A
    // writer that asks first can wait for a slow reader instead of having its stream cut.
    virtual std::size_t queued() const = 0;
    virtual void finish() = 0;
    // Called once when the client went away or the stream was cut; not after finish. Must not
    // block.
    virtual void on_closed(std::function<void()> call) = 0;
};

// What is decided on the head of a request, before anything of its body is kept.
struct HeadVerdict {
    // The body is not read: the handler is called at once, with an empty body, and has to refuse
    // the request; then the connection is closed.
    bool refuse = false;
    // The client is authenticated. Unfinished requests of others share a much smaller budget.
    bool known = true;
    std::size_t body_bytes = static_cast<std::size_t>(-1);  // more is answered with 413
};
// Called for requests with a body, on an I/O thread: must not block. `head.body` is empty.
using HeadCheck = std::function<HeadVerdict(const Request& head)>;

// Called on an I/O thread: must not block.
using Handler = std::function<void(Request, std::shared_ptr<ResponseSink>)>;

}  // namespace atelier::apiserver
