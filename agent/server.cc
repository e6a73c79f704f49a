#include "agent/server.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <optional>
#include <set>

namespace atelier::agent {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;

constexpr std::size_t most_connections = 32;
constexpr auto request_deadline = std::chrono::seconds(10);

struct Shared {
    std::function<std::string()> plugins;
    std::size_t connections = 0;
};

using Reply = http::response<http::string_body>;

Reply reply_to(const http::request<http::empty_body>& request, const Shared& shared) {
    Reply reply;
    reply.version(request.version());
    reply.keep_alive(request.keep_alive());
    const auto body = [&](http::status status, std::string text) {
        reply.result(status);
        reply.set(http::field::content_type, "application/json");
        reply.body() = std::move(text);
    };
    const auto path = request.target().substr(0, request.target().find('?'));
    if (path != "/health" && path != "/plugins") {
        body(http::status::not_found, "{\"message\":\"there is only /health and /plugins\"}\n");
    } else if (request.method() != http::verb::get && request.method() != http::verb::head) {
        reply.set(http::field::allow, "GET, HEAD");
        body(http::status::method_not_allowed, "{\"message\":\"only GET and HEAD\"}\n");
    } else {
        body(http::status::ok, path == "/health" ? "{\"status\":\"ok\"}\n" : shared.plugins());
    }
    reply.prepare_payload();
    // The length of what a GET would have brought stays; only the bytes are left out.
    if (request.method() == http::verb::head) reply.body().clear();
    return reply;
}

class Connection : public std::enable_shared_from_this<Connection> {
  public:
    Connection(tcp::socket socket, std::shared_ptr<Shared> shared)
        : stream_(std::move(socket)), shared_(std::move(shared)) {
        ++shared_->connections;
    }
    ~Connection() { --shared_->connections; }

    void read() {
        parser_.emplace();
        parser_->header_limit(8192);
        parser_->body_limit(0);
        stream_.expires_after(request_deadline);
        http::async_read(stream_, buffer_, *parser_,
                         [self = shared_from_this()](beast::error_code error, std::size_t) {
                             self->answer(error);
                         });
    }

  private:
    void answer(beast::error_code error) {
        if (error == http::error::end_of_stream || error == beast::error::timeout) return close();
        if (error) return refuse(error);
        write(reply_to(parser_->get(), *shared_));
    }

    void refuse(beast::error_code error) {
        // Only what was understood as a bad request gets an answer; a broken connection does not.
        if (error.category() != http::make_error_code(http::error::bad_method).category()) return;
        Reply reply(error == http::error::header_limit
                        ? http::status::request_header_fields_too_large
                        : http::status::bad_request,
                    11);
        reply.keep_alive(false);
        reply.prepare_payload();
        write(std::move(reply));
    }

    void write(Reply reply) {
        reply_ = std::move(reply);
        const bool stay = reply_.keep_alive();
        serializer_.emplace(reply_);
        const auto done = [self = shared_from_this(), stay](beast::error_code error, std::size_t) {
            if (error) return;
            if (stay) return self->read();
            self->close();
        };
        stream_.expires_after(request_deadline);
        // A HEAD's body is empty while its length is not: write the header alone.
        if (reply_.body().empty()) return http::async_write_header(stream_, *serializer_, done);
        http::async_write(stream_, *serializer_, done);
    }

    void close() {
        beast::error_code ignored;
        stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
    }

    beast::tcp_stream stream_;
    std::shared_ptr<Shared> shared_;
    beast::flat_buffer buffer_{16384};
    std::optional<http::request_parser<http::empty_body>> parser_;
    Reply reply_;
    std::optional<http::response_serializer<http::string_body>> serializer_;
};

class Listener final : public Server {
  public:
    Listener(asio::io_context& context, std::function<std::string()> plugins)
        : acceptor_(context), shared_(std::make_shared<Shared>()) {
        shared_->plugins = std::move(plugins);
    }

    beast::error_code open(const tcp::endpoint& endpoint) {
        beast::error_code error;
        acceptor_.open(endpoint.protocol(), error);
        if (!error) acceptor_.set_option(asio::socket_base::reuse_address(true), error);
        if (!error) acceptor_.bind(endpoint, error);
        if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
        if (!error) accept();
        return error;
    }

    std::uint16_t port() const override {
        beast::error_code error;
        return acceptor_.local_endpoint(error).port();
    }

  private:
    void accept() {
        acceptor_.async_accept([this](beast::error_code error, tcp::socket socket) {
            if (error == asio::error::operation_aborted) return;
            // One connection too many is closed at once: nobody is owed an answer here.
            if (!error && shared_->connections < most_connections) {
                std::make_shared<Connection>(std::move(socket), shared_)->read();
            }
            accept();
        });
    }

    tcp::acceptor acceptor_;
    std::shared_ptr<Shared> shared_;
};

}  // namespace

Result<std::unique_ptr<Server>> Server::listen(asio::io_context& context,
                                               const std::string& address, std::uint16_t port,
                                               std::function<std::string()> plugins) {
    beast::error_code error;
    const auto ip = asio::ip::make_address(address, error);
    if (error) {
        return Error{Code::invalid, "the address \"" + address + "\" is not an IP address"};
    }
    auto listener = std::make_unique<Listener>(context, std::move(plugins));
    error = listener->open({ip, port});
    if (error) {
        return Error{Code::unavailable, "cannot listen on port " + std::to_string(port),
                     error.message()};
    }
    return std::unique_ptr<Server>(std::move(listener));
}

}  // namespace atelier::agent
