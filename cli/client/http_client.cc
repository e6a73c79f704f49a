#include "cli/client/http_client.h"

#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
// Turns off the macro U() of cpprestsdk, which breaks other headers.
#define _TURN_OFF_PLATFORM_STRING
#include <cpprest/containerstream.h>
#include <cpprest/http_client.h>
#include <pplx/threadpool.h>

#include "base/text.h"

namespace atelier::cli {
namespace {

namespace web_http = web::http;
using Bytes = concurrency::streams::container_buffer<std::string>;
using Eof = concurrency::streams::char_traits<std::uint8_t>;

constexpr std::size_t most_body = std::size_t{64} << 20;
constexpr std::size_t most_line = std::size_t{16} << 20;
// The longest silence of a watch. The server sends bookmarks more often than this.
constexpr Duration stream_timeout = std::chrono::minutes(10);
// How often a waiting call checks `interrupted`.
constexpr Duration glance = std::chrono::milliseconds(50);

void set_trust(boost::asio::ssl::context& context, const Connection& connection) {
    SSL_CTX* const raw = context.native_handle();
    SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION);
    boost::system::error_code ec;
    if (!connection.ca_pem.empty()) {
        // Replaces the store, which the library has filled with the system's CAs, by an empty one.
        SSL_CTX_set_cert_store(raw, X509_STORE_new());
        context.add_certificate_authority(boost::asio::buffer(connection.ca_pem), ec);
    }
    if (!connection.client_certificate_pem.empty()) {
        context.use_certificate_chain(boost::asio::buffer(connection.client_certificate_pem), ec);
        context.use_private_key(boost::asio::buffer(connection.client_key_pem),
                                boost::asio::ssl::context::pem, ec);
    }
}

Error unreachable(const std::string& server, const std::exception& e) {
    const std::string text = lower(e.what());
    if (text.find("certificate") != text.npos || text.find("handshake") != text.npos) {
        return {Code::unavailable,
                "the server " + server +
                    " does not prove who it is by the certificate authority of the kubeconfig",
                e.what()};
    }
    if (text.find("timed out") != text.npos || text.find("timeout") != text.npos) {
        return {Code::timeout, "the server " + server + " did not answer in time", e.what()};
    }
    return {
        Code::unavailable,
        "the server " + server + " cannot be reached: is it running? `atelier server` starts one",
        e.what()};
}

web_http::http_request to_request(const HttpRequest& request, const std::string& token) {
    web_http::http_request out(request.method);
    out.set_request_uri(web::uri(request.target));
    for (const auto& [name, value] : request.headers) out.headers().add(name, value);
    if (!token.empty()) out.headers().add("Authorization", "Bearer " + token);
    if (!request.body.empty()) {
        const std::string type = out.headers()["Content-Type"];
        out.set_body(request.body, type.empty() ? "application/json" : type);
    }
    return out;
}

// Reads the body of a stream on a thread of its own into a queue.
class Lines final : public LineStream {
  public:
    Lines(web_http::http_response response, pplx::cancellation_token_source cancel)
        : response_(std::move(response)), cancel_(std::move(cancel)), reader_([this] { read(); }) {}
    ~Lines() override {
        cancel_.cancel();
        reader_.join();
    }
    int status() const override { return response_.status_code(); }

    Result<std::optional<std::string>> next(Duration patience) override {
        std::unique_lock lock(mutex_);
        condition_.wait_for(lock, patience, [this] { return !lines_.empty() || ended_; });
        if (lines_.empty() && ended_)
            return Error{Code::unavailable, "the server ended the stream"};
        if (lines_.empty()) return std::optional<std::string>{};
        std::optional<std::string> line = std::move(lines_.front());
        lines_.pop_front();
        return line;
    }

  private:
    void read() {
        try {
            auto body = response_.body().streambuf();
            std::string partial;
            while (partial.size() <= most_line) {
                // A read of many bytes would block until all of them have come. So this reads one
                // byte, which blocks, and then what else is there already.
                const auto first = body.bumpc().get();
                if (first == Eof::eof()) break;
                partial += static_cast<char>(first);
                std::string rest(body.in_avail(), '\0');
                if (!rest.empty()) {
                    auto* const to = reinterpret_cast<std::uint8_t*>(rest.data());
                    rest.resize(body.getn(to, rest.size()).get());
                }
                partial += rest;
                push_lines(partial);
            }
        } catch (const std::exception&) {
            // A broken connection and a cancelled stream both end the stream.
        }
        const std::lock_guard lock(mutex_);
        ended_ = true;
        condition_.notify_all();
    }
    void push_lines(std::string& partial) {
        std::size_t from = 0;
        const std::lock_guard lock(mutex_);
        for (std::size_t end = 0; (end = partial.find('\n', from)) != partial.npos;
             from = end + 1) {
            if (end > from) lines_.push_back(partial.substr(from, end - from));
        }
        partial.erase(0, from);
        condition_.notify_all();
    }

    web_http::http_response response_;
    pplx::cancellation_token_source cancel_;
    std::mutex mutex_;  // guards what follows
    std::condition_variable condition_;
    std::deque<std::string> lines_;
    bool ended_ = false;
    std::thread reader_;  // last: it uses all of the above
};

class CpprestClient final : public HttpClient {
  public:
    CpprestClient(const Connection& connection, Duration timeout,
                  const std::atomic<bool>& interrupted)
        : connection_(connection),
          interrupted_(interrupted),
          requests_(connection.server, config(timeout)),
          streams_(connection.server, config(stream_timeout)) {}

    Result<HttpAnswer> send(const HttpRequest& request) override {
        try {
            pplx::cancellation_token_source cancel;
            web_http::http_response response = TRY(answer(requests_, request, cancel));
            HttpAnswer out;
            out.status = response.status_code();
            for (const auto& [name, value] : response.headers()) out.headers[lower(name)] = value;
            return read_body(response, cancel, std::move(out));
        } catch (const std::exception& e) {
            return unreachable(connection_.server, e);
        }
    }

    Result<std::unique_ptr<LineStream>> stream(const HttpRequest& request) override {
        try {
            pplx::cancellation_token_source cancel;
            web_http::http_response response = TRY(answer(streams_, request, cancel));
            return std::unique_ptr<LineStream>(
                std::make_unique<Lines>(std::move(response), std::move(cancel)));
        } catch (const std::exception& e) {
            return unreachable(connection_.server, e);
        }
    }

  private:
    web_http::client::http_client_config config(Duration timeout) const {
        web_http::client::http_client_config out;
        out.set_timeout(std::chrono::duration_cast<std::chrono::milliseconds>(timeout));
        out.set_max_redirects(0);
        out.set_validate_certificates(connection_.verify);
        out.set_ssl_context_callback(
            [connection = connection_](boost::asio::ssl::context& context) {
                set_trust(context, connection);
            });
        return out;
    }

    // Waits for the head of the answer, or for an interrupt.
    Result<web_http::http_response> answer(web_http::client::http_client& client,
                                           const HttpRequest& request,
                                           pplx::cancellation_token_source& cancel) {
        struct Meeting {
            std::mutex mutex;
            std::condition_variable condition;
            bool done = false;
        };
        const auto meeting = std::make_shared<Meeting>();
        auto task = client.request(to_request(request, connection_.token), cancel.get_token());
        task.then([meeting](const pplx::task<web_http::http_response>& ended) {
            try {
                ended.wait();
            } catch (const std::exception&) {
                // get() below throws it again. The library ends the process for an exception that
                // nobody observes, so it is observed here.
            }
            const std::lock_guard lock(meeting->mutex);
            meeting->done = true;
            meeting->condition.notify_all();
        });
        {
            std::unique_lock lock(meeting->mutex);
            while (!meeting->condition.wait_for(lock, glance, [&] { return meeting->done; })) {
                if (!interrupted_) continue;
                cancel.cancel();
                return Error{Code::cancelled, "interrupted"};
            }
        }
        return task.get();
    }

    Result<HttpAnswer> read_body(web_http::http_response& response,
                                 pplx::cancellation_token_source& cancel, HttpAnswer out) {
        auto body = response.body();
        while (true) {
            Bytes buffer;
            if (body.read(buffer, 64 << 10).get() == 0) return out;
            out.body += buffer.collection();
            if (out.body.size() > most_body) {
                cancel.cancel();
                return Error{Code::too_large, "the answer of the server is larger than 64 MiB"};
            }
        }
    }

    const Connection connection_;
    const std::atomic<bool>& interrupted_;
    web_http::client::http_client requests_;
    web_http::client::http_client streams_;
};

}  // namespace

Result<std::unique_ptr<HttpClient>> connect(const Connection& connection, Duration timeout,
                                            const std::atomic<bool>& interrupted) {
    try {
        // The library would start forty threads. Only the first call has an effect.
        static const bool threads_set = [] {
            crossplat::threadpool::initialize_with_threads(2);
            return true;
        }();
        (void)threads_set;
        return std::unique_ptr<HttpClient>(
            std::make_unique<CpprestClient>(connection, timeout, interrupted));
    } catch (const std::exception& e) {
        return Error{Code::invalid, "the server \"" + connection.server + "\" is not a usable URL",
                     e.what()};
    }
}

}  // namespace atelier::cli
