#include "apiserver/http/parser.h"

#include <optional>
#include <utility>
// After <utility>: Asio 1.74 uses std::exchange without including it.
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

#include "apiserver/http/target.h"
#include "base/text.h"

namespace atelier::apiserver {
namespace {

namespace http = boost::beast::http;
using boost::beast::error_code;
using View = boost::beast::string_view;

std::string_view view(View v) {
    return {v.data(), v.size()};
}

std::string what_is_wrong(const error_code& ec) {
    if (ec == http::error::bad_content_length) return "the Content-Length is malformed";
    if (ec == http::error::bad_transfer_encoding) return "the Transfer-Encoding is malformed";
    if (ec == http::error::bad_chunk || ec == http::error::bad_chunk_extension) {
        return "a chunk of the body is malformed";
    }
    if (ec == http::error::bad_field || ec == http::error::bad_value ||
        ec == http::error::bad_obs_fold) {
        return "a header field is malformed";
    }
    if (ec == http::error::bad_target) return "the request target has a forbidden character";
    return "the request is not well-formed HTTP";
}

// Writes straight into a Request. Fields after the body (trailers) are dropped: nothing that comes
// after a body may change what the request means.
class Message final : public http::basic_parser<true> {
  public:
    Message(std::size_t header_bytes, std::size_t body_bytes) {
        header_limit(static_cast<std::uint32_t>(header_bytes));
        body_limit(body_bytes);
        eager(false);
    }

    Request request;
    bool head_done = false;
    bool http_1_0 = false;
    bool expects_continue = false;
    bool bad_expectation = false;
    bool unknown_coding = false;
    int transfer_encodings = 0;
    int hosts = 0;
    int lengths = 0;

  private:
    void on_request_impl(http::verb, View method, View target, int version, error_code&) override {
        request.method = view(method);
        request.target = view(target);
        request.headers.reserve(8);
        http_1_0 = version == 10;
    }
    void on_response_impl(int, View, int, error_code&) override {}
    void on_field_impl(http::field field, View name, View value, error_code&) override {
        if (head_done) return;
        if (field == http::field::host) ++hosts;
        if (field == http::field::content_length) ++lengths;
        if (field == http::field::transfer_encoding) {
            ++transfer_encodings;
            if (lower(view(value)) != "chunked") unknown_coding = true;
        }
        if (field == http::field::expect) {
            const bool known = lower(view(value)) == "100-continue";
            (known ? expects_continue : bad_expectation) = true;
        }
        request.headers.emplace_back(lower(view(name)), view(value));
    }
    void on_header_impl(error_code&) override { head_done = true; }
    void on_body_init_impl(const boost::optional<std::uint64_t>& length, error_code&) override {
        // What a client claims reserves no more than a little; the rest grows with what it sends.
        if (length) request.body.reserve(std::min<std::size_t>(*length, 64 << 10));
    }
    std::size_t on_body_impl(View body, error_code&) override {
        request.body.append(body.data(), body.size());
        return body.size();
    }
    void on_chunk_header_impl(std::uint64_t, View, error_code&) override {}
    std::size_t on_chunk_body_impl(std::uint64_t, View body, error_code&) override {
        request.body.append(body.data(), body.size());
        return body.size();
    }
    void on_finish_impl(error_code&) override {}
};

}  // namespace

class RequestParser::Impl {
  public:
    std::optional<Message> message;
    std::size_t head_bytes = 0;  // consumed so far by the head
    bool head_said = false;
    bool line_ended = false;  // the last byte of the head that was consumed is a line end

    // Whether a field is continued on a line that begins with white space. Beast joins such lines;
    // RFC 9112 5.2 has a server refuse them, since not everybody reads them alike.
    bool is_folded(std::string_view consumed) {
        for (const char c : consumed) {
            if (line_ended && (c == ' ' || c == '\t')) return true;
            line_ended = c == '\n';
        }
        return false;
    }
};

RequestParser::RequestParser(const Limits& limits)
    : limits_(limits), impl_(std::make_unique<Impl>()) {
    reset();
}
RequestParser::~RequestParser() = default;

void RequestParser::reset() {
    impl_->message.emplace(limits_.header_bytes, limits_.body_bytes);
    impl_->head_bytes = 0;
    impl_->head_said = false;
    impl_->line_ended = false;
}

RequestParser::Outcome RequestParser::feed(std::string_view bytes, std::size_t& used) {
    Message& message = *impl_->message;
    used = 0;
    while (!message.is_done()) {
        const std::string_view rest = bytes.substr(used);
        if (rest.empty()) return Outcome::need_more;
        error_code ec;
        const bool in_head = !message.head_done;
        const std::size_t n = message.put({rest.data(), rest.size()}, ec);
        used += n;
        if (in_head) {
            impl_->head_bytes += n;
            if (impl_->is_folded(rest.substr(0, n))) {
                return fail(400, "a header field is continued on a second line");
            }
        }
        const bool held_back = ec == http::error::need_more;
        if (in_head &&
            (ec == http::error::header_limit || impl_->head_bytes > limits_.header_bytes ||
             (held_back && impl_->head_bytes + bytes.size() - used > limits_.header_bytes))) {
            // Without its line end the request line alone fills the limit.
            if (message.request.method.empty()) return fail(414, "the request target is too long");
            return fail(431, "the header fields are larger than " +
                                 std::to_string(limits_.header_bytes) + " bytes");
        }
        if (ec == http::error::body_limit) {
            return fail(413,
                        "the body is larger than " + std::to_string(limits_.body_bytes) + " bytes");
        }
        if (held_back) {
            // Outside the head only the line of a chunk, or trailers, can be incomplete.
            if (!in_head && bytes.size() - used > limits_.header_bytes) {
                return fail(431, "a chunk's line or the trailers are too long");
            }
            return Outcome::need_more;
        }
        if (ec == http::error::bad_version) {
            return fail(505, "only HTTP/1.1 and HTTP/1.0 are spoken here");
        }
        if (ec) return fail(400, what_is_wrong(ec));
        if (message.head_done && !impl_->head_said) {
            impl_->head_said = true;
            if (const Outcome outcome = check_head(); outcome != Outcome::head) return outcome;
            message.eager(true);
            if (!message.is_done()) return Outcome::head;
        }
    }
    return Outcome::done;
}

// Beast takes a body with an unknown transfer coding for no body at all, and leaves Host to us.
RequestParser::Outcome RequestParser::check_head() {
    Message& m = *impl_->message;
    if (m.request.target.size() > limits_.target_bytes) {
        return fail(414, "the request target is longer than " +
                             std::to_string(limits_.target_bytes) + " bytes");
    }
    if (m.lengths > 1) return fail(400, "the request has more than one Content-Length");
    if (m.unknown_coding || m.transfer_encodings > 1 || (m.transfer_encodings > 0 && m.http_1_0)) {
        return fail(400, "the only transfer coding understood is chunked, once, with HTTP/1.1");
    }
    // RFC 9112 6.3: a proxy in front may have framed the message by the other one.
    if (m.transfer_encodings > 0 && m.lengths > 0) {
        return fail(400, "the request has both a Transfer-Encoding and a Content-Length");
    }
    if (m.hosts > 1 || (m.hosts == 0 && !m.http_1_0)) {
        return fail(400, "the request must have exactly one Host header");
    }
    if (m.bad_expectation) return fail(417, "the only expectation understood is 100-continue");
    const std::string target = std::move(m.request.target);
    if (auto parsed = parse_target(target, m.request); !parsed) {
        return fail(400, parsed.error().message);
    }
    return Outcome::head;
}

RequestParser::Outcome RequestParser::fail(int status, std::string message) {
    status_ = status;
    message_ = std::move(message);
    return Outcome::failed;
}

Request RequestParser::take() {
    return std::move(impl_->message->request);
}
const Request& RequestParser::head() const {
    return impl_->message->request;
}
std::size_t RequestParser::body_size() const {
    return impl_->message->request.body.size();
}
std::size_t RequestParser::body_capacity() const {
    const std::size_t capacity = impl_->message->request.body.capacity();
    return capacity > sizeof(std::string) ? capacity : 0;
}
bool RequestParser::head_seen() const {
    return impl_->message->head_done;
}
bool RequestParser::keep_alive() const {
    return impl_->message->head_done && impl_->message->keep_alive();
}
bool RequestParser::http_1_0() const {
    return impl_->message->http_1_0;
}
bool RequestParser::is_head_method() const {
    return impl_->message->request.method == "HEAD";
}
bool RequestParser::expects_continue() const {
    // An HTTP/1.0 client could not understand the interim answer.
    return impl_->message->expects_continue && !impl_->message->http_1_0;
}

}  // namespace atelier::apiserver
