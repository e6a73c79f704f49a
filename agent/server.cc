#include "agent/server.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <filesystem>
#include <optional>
#include <set>

#include "base/file.h"
#include "base/folder.h"

namespace atelier::agent {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using Local = asio::local::stream_protocol;
using Any = asio::generic::stream_protocol;

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
    // The answer to HEAD keeps the length of the body that GET would have; only the body is left
    // out.
    if (request.method() == http::verb::head) reply.body().clear();
    return reply;
}

class Connection : public std::enable_shared_from_this<Connection> {
  public:
    Connection(Any::socket socket, std::shared_ptr<Shared> shared)
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
        // Only a request that could be read as a wrong one is answered, not a broken connection.
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
        // For HEAD the serializer would wait for a body of the stated length: only the header is
        // written.
        if (reply_.body().empty()) return http::async_write_header(stream_, *serializer_, done);
        http::async_write(stream_, *serializer_, done);
    }

    void close() {
        beast::error_code ignored;
        stream_.socket().shutdown(asio::socket_base::shutdown_send, ignored);
    }

    beast::basic_stream<Any> stream_;
    std::shared_ptr<Shared> shared_;
    beast::flat_buffer buffer_{16384};
    std::optional<http::request_parser<http::empty_body>> parser_;
    Reply reply_;
    std::optional<http::response_serializer<http::string_body>> serializer_;
};

template <class Protocol>
class Listener final : public Server {
  public:
    Listener(asio::io_context& context, std::function<std::string()> plugins)
        : acceptor_(context), shared_(std::make_shared<Shared>()) {
        shared_->plugins = std::move(plugins);
    }

    beast::error_code open(const typename Protocol::endpoint& endpoint) {
        beast::error_code error;
        acceptor_.open(endpoint.protocol(), error);
        if (!error) acceptor_.set_option(asio::socket_base::reuse_address(true), error);
        if (!error) acceptor_.bind(endpoint, error);
        if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
        if (!error) accept();
        return error;
    }

    std::uint16_t port() const override {
        if constexpr (std::is_same_v<Protocol, tcp>) {
            beast::error_code error;
            return acceptor_.local_endpoint(error).port();
        }
        return 0;
    }

  private:
    void accept() {
        acceptor_.async_accept([this](beast::error_code error, typename Protocol::socket socket) {
            if (error == asio::error::operation_aborted) return;
            // One connection too many is closed at once, without an answer.
            if (!error && shared_->connections < most_connections) {
                std::make_shared<Connection>(Any::socket(std::move(socket)), shared_)->read();
            }
            accept();
        });
    }

    typename Protocol::acceptor acceptor_;
    std::shared_ptr<Shared> shared_;
};

Result<std::unique_ptr<Server>> listen_at_port(asio::io_context& context,
                                               const std::string& address, std::uint16_t port,
                                               std::function<std::string()> plugins) {
    beast::error_code error;
    const auto ip = asio::ip::make_address(address, error);
    if (error) {
        return Error{Code::invalid, "the address \"" + address +
                                        "\" is neither an IP address nor the absolute path of a "
                                        "socket"};
    }
    auto listener = std::make_unique<Listener<tcp>>(context, std::move(plugins));
    error = listener->open({ip, port});
    if (error) {
        return Error{Code::unavailable, "cannot listen on port " + std::to_string(port),
                     error.message()};
    }
    return std::unique_ptr<Server>(std::move(listener));
}

Result<std::unique_ptr<Server>> listen_at_socket(asio::io_context& context,
                                                 const std::filesystem::path& path,
                                                 std::function<std::string()> plugins) {
    const std::string name = path.filename();
    // The folder may be a link, which is how the process runtime mounts it.
    const Descriptor folder = TRY(open_folder((path.parent_path() / ".").string()));
    struct stat there {};
    if (fstatat(folder.get(), name.c_str(), &there, AT_SYMLINK_NOFOLLOW) == 0) {
        // A socket is left by an agent that was killed. Anything else belongs to the workspace.
        if (!S_ISSOCK(there.st_mode)) {
            return Error{Code::conflict, "cannot listen at \"" + name + "\": it is no socket"};
        }
        TRY(remove_at(folder, name));
    }
    // Through the descriptor, because the path of a socket has at most 107 bytes (unix(7)).
    const std::string place = "/proc/self/fd/" + std::to_string(folder.get()) + "/" + name;
    auto listener = std::make_unique<Listener<Local>>(context, std::move(plugins));
    const beast::error_code error = listener->open(Local::endpoint(place));
    if (error) {
        return Error{Code::unavailable, "cannot listen at \"" + name + "\"", error.message()};
    }
    if (fchmodat(folder.get(), name.c_str(), 0600, 0) != 0) {
        return error_of_errno(errno, "cannot set the mode of", name);
    }
    return std::unique_ptr<Server>(std::move(listener));
}

}  // namespace

Result<std::unique_ptr<Server>> Server::listen(asio::io_context& context,
                                               const std::string& address, std::uint16_t port,
                                               std::function<std::string()> plugins) {
    if (address.starts_with('/')) return listen_at_socket(context, address, std::move(plugins));
    return listen_at_port(context, address, port, std::move(plugins));
}

}  // namespace atelier::agent
