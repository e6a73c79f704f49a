#include "apiserver/http/socket.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <utility>
// After <utility>: Asio 1.74 uses std::exchange without including it.
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>

#include "apiserver/http/tls_context.h"

namespace atelier::apiserver {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

std::ptrdiff_t outcome(const error_code& ec, std::size_t bytes) {
    if (!ec) return static_cast<std::ptrdiff_t>(bytes);
    if (ec == asio::error::eof || ec == asio::ssl::error::stream_truncated) return 0;
    return -1;
}

void close_quietly(tcp::socket& socket, bool reset) {
    error_code ignored;
    if (reset) socket.set_option(asio::socket_base::linger(true, 0), ignored);
    socket.close(ignored);
}

constexpr std::size_t most_buffers = 64;
using Buffers = std::vector<asio::const_buffer>;

class PlainConnection final : public Connection {
  public:
    PlainConnection(Loop& loop, HttpShared& shared, std::string peer, tcp::socket socket)
        : Connection(loop, shared, std::move(peer)), io_(loop.io()), socket_(std::move(socket)) {}

  private:
    auto self() { return std::static_pointer_cast<PlainConnection>(shared_from_this()); }

    void begin_handshake() override { on_handshake(true, {}); }
    void begin_read(char* to, std::size_t most) override {
        socket_.async_read_some(
            asio::buffer(to, most),
            [me = self()](const error_code& ec, std::size_t n) { me->on_read(outcome(ec, n)); });
    }
    void begin_write(std::span<const iovec> buffers) override {
        const std::size_t count = std::min(buffers.size(), most_buffers);
        gathered_.clear();
        for (const iovec& b : buffers.first(count)) gathered_.emplace_back(b.iov_base, b.iov_len);
        socket_.async_write_some(gathered_, [me = self()](const error_code& ec, std::size_t n) {
            me->on_write(ec ? -1 : static_cast<std::ptrdiff_t>(n));
        });
    }
    void half_close() override {
        error_code ignored;
        socket_.shutdown(tcp::socket::shutdown_send, ignored);
    }
    void close_socket(bool reset) override { close_quietly(socket_, reset); }

    const std::shared_ptr<asio::io_context> io_;  // outlives socket_
    tcp::socket socket_;
    Buffers gathered_;
};

class TlsConnection final : public Connection {
  public:
    TlsConnection(Loop& loop, HttpShared& shared, std::string peer, tcp::socket socket,
                  std::shared_ptr<asio::ssl::context> context)
        : Connection(loop, shared, std::move(peer)),
          io_(loop.io()),
          context_(std::move(context)),
          stream_(std::move(socket), *context_) {}

  private:
    auto self() { return std::static_pointer_cast<TlsConnection>(shared_from_this()); }

    void begin_handshake() override {
        stream_.async_handshake(
            asio::ssl::stream_base::server, [me = self()](const error_code& ec) {
                me->shaken_ = !ec;
                me->on_handshake(!ec, ec ? "" : verified_subject(me->stream_.native_handle()));
            });
    }
    void begin_read(char* to, std::size_t most) override {
        stream_.async_read_some(
            asio::buffer(to, most),
            [me = self()](const error_code& ec, std::size_t n) { me->on_read(outcome(ec, n)); });
    }
    // Asio encrypts only the first buffer of a sequence at a time; small ones are put together, so
    // that a record and a segment carry many frames.
    void begin_write(std::span<const iovec> buffers) override {
        static constexpr std::size_t record = 16 << 10;
        if (buffers.size() == 1 || buffers[0].iov_len >= record) {
            return write_some(buffers[0].iov_base, std::min(buffers[0].iov_len, record));
        }
        record_.clear();
        for (const iovec& b : buffers) {
            const std::size_t n = std::min(b.iov_len, record - record_.size());
            record_.append(static_cast<const char*>(b.iov_base), n);
            if (record_.size() == record) break;
        }
        write_some(record_.data(), record_.size());
    }
    void write_some(const void* data, std::size_t size) {
        stream_.async_write_some(asio::buffer(data, size),
                                 [me = self()](const error_code& ec, std::size_t n) {
                                     me->on_write(ec ? -1 : static_cast<std::ptrdiff_t>(n));
                                 });
    }
    void half_close() override {}  // TLS has no half that a client would understand
    void close_socket(bool reset) override {
        // The close_notify alert leaves within this call if the socket takes it; the answer to it
        // is not awaited.
        if (shaken_ && !reset) stream_.async_shutdown([me = self()](const error_code&) {});
        close_quietly(stream_.next_layer(), reset);
    }

    const std::shared_ptr<asio::io_context> io_;  // outlives stream_
    const std::shared_ptr<asio::ssl::context> context_;
    asio::ssl::stream<tcp::socket> stream_;
    std::string record_;
    bool shaken_ = false;
};

void set_options(int descriptor) {
    const auto set = [descriptor](int level, int option, int value) {
        ::setsockopt(descriptor, level, option, &value, sizeof value);
    };
    set(IPPROTO_TCP, TCP_NODELAY, 1);
    // A peer whose machine is gone says nothing; an idle watch finds out by keep-alive alone.
    set(SOL_SOCKET, SO_KEEPALIVE, 1);
    set(IPPROTO_TCP, TCP_KEEPIDLE, 60);
    set(IPPROTO_TCP, TCP_KEEPINTVL, 15);
    set(IPPROTO_TCP, TCP_KEEPCNT, 4);
}

struct Peer {
    std::string text;
    bool v6 = false;
};

Peer peer_of(int descriptor) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    ::getpeername(descriptor, reinterpret_cast<sockaddr*>(&address), &size);
    char text[INET6_ADDRSTRLEN] = "";
    if (address.ss_family == AF_INET6) {
        const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
        ::inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof text);
        return {"[" + std::string(text) + "]:" + std::to_string(ntohs(v6.sin6_port)), true};
    }
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
    ::inet_ntop(AF_INET, &v4.sin_addr, text, sizeof text);
    return {std::string(text) + ":" + std::to_string(ntohs(v4.sin_port)), false};
}

}  // namespace

void open_connection(Loop& loop, HttpShared& shared, int descriptor,
                     const std::shared_ptr<asio::ssl::context>& tls) {
    set_options(descriptor);
    Peer peer = peer_of(descriptor);
    tcp::socket socket(*loop.io());
    error_code ec;
    socket.assign(peer.v6 ? tcp::v6() : tcp::v4(), descriptor, ec);
    if (ec) {
        ::close(descriptor);
        shared.open.fetch_sub(1);
        return;
    }
    std::shared_ptr<Connection> connection;
    if (tls) {
        connection = std::make_shared<TlsConnection>(loop, shared, std::move(peer.text),
                                                     std::move(socket), tls);
    } else {
        connection = std::make_shared<PlainConnection>(loop, shared, std::move(peer.text),
                                                       std::move(socket));
    }
    connection->start();
}

}  // namespace atelier::apiserver
