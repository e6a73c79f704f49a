#include "apiserver/http/server.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <future>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
// After <utility>: Asio 1.74 uses std::exchange without including it.
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>

#include "apiserver/http/loop.h"
#include "apiserver/http/message.h"
#include "apiserver/http/socket.h"
#include "apiserver/http/tls_context.h"

namespace atelier::apiserver {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

class Server final : public HttpServer {
  public:
    Server(const HttpOptions& options, Handler handler, HeadCheck check, Metrics& metrics, Log log)
        : shared_(options, std::move(handler), std::move(check), metrics, std::move(log)) {
        for (int i = 0; i < std::max(1, options.threads); ++i) {
            loops_.push_back(std::make_unique<Loop>(shared_));
        }
    }
    ~Server() override { stop(Duration::zero()); }

    Result<void> listen() {
        if (!shared_.options.tls.certificate_pem.empty()) {
            tls_ = TRY(make_tls_context(shared_.options.tls));
            secure_ = true;
        }
        error_code ec;
        const std::string& name = shared_.options.address;
        const auto address = asio::ip::make_address(name == "localhost" ? "127.0.0.1" : name, ec);
        if (ec) {
            return Error{Code::invalid, "\"" + name + "\" is not an IP address to listen on"};
        }
        acceptor_.emplace(*loops_[0]->io());
        const tcp::endpoint endpoint(address, shared_.options.port);
        acceptor_->open(endpoint.protocol(), ec);
        if (!ec) acceptor_->set_option(asio::socket_base::reuse_address(true), ec);
        if (!ec && address.is_v6()) acceptor_->set_option(asio::ip::v6_only(false), ec);
        if (!ec) acceptor_->bind(endpoint, ec);
        if (!ec) acceptor_->listen(4096, ec);
        if (!ec) acceptor_->non_blocking(true, ec);
        if (ec) return cannot_listen(ec);
        port_ = acceptor_->local_endpoint(ec).port();
        return {};
    }

    void start() {
        // Posted, since the acceptor belongs to the first loop's thread once that runs.
        loops_[0]->post([this] {
            loops_[0]->on_tick([this] { resume_accepting(); });
            await_connections();
        });
        for (const auto& loop : loops_) threads_.emplace_back([&loop] { loop->run(); });
    }

    std::uint16_t port() const override { return port_; }

    Result<void> use_tls(const TlsFiles& files) override {
        if (!secure_) return Error{Code::invalid, "this server has no TLS"};
        auto context = TRY(make_tls_context(files));
        const std::lock_guard lock(tls_mutex_);
        tls_ = std::move(context);
        return {};
    }

    void stop(Duration grace) override {
        if (threads_.empty()) return;
        // No loop may be given a new descriptor after it was asked to end.
        std::promise<void> not_accepting;
        loops_[0]->post([this, &not_accepting] {
            error_code ignored;
            acceptor_->close(ignored);
            not_accepting.set_value();
        });
        not_accepting.get_future().wait();
        for (const auto& loop : loops_) loop->post([&l = *loop] { l.drain(); });
        {
            std::unique_lock lock(shared_.mutex);
            shared_.all_closed.wait_for(lock, grace, [this] { return shared_.open == 0; });
        }
        for (const auto& loop : loops_) {
            loop->post([&l = *loop] { l.cut_all(); });
            loop->release();
        }
        for (auto& thread : threads_) thread.join();
        threads_.clear();
    }

  private:
    std::shared_ptr<asio::ssl::context> tls() {
        const std::lock_guard lock(tls_mutex_);
        return tls_;
    }

    Error cannot_listen(const error_code& ec) const {
        const std::string where =
            shared_.options.address + " port " + std::to_string(shared_.options.port);
        if (ec == asio::error::address_in_use) {
            return {Code::unavailable,
                    where + " is in use: stop what listens there, or choose another"};
        }
        if (ec == asio::error::access_denied) {
            return {Code::forbidden, "listening on " + where + " is not permitted"};
        }
        return {Code::unavailable, "cannot listen on " + where, ec.message()};
    }

    void await_connections() {
        if (waiting_ || !acceptor_->is_open()) return;
        waiting_ = true;
        acceptor_->async_wait(tcp::acceptor::wait_read, [this](const error_code& ec) {
            waiting_ = false;
            if (!ec && accept_some()) await_connections();
        });
    }

    // False: there is nothing left to accept with. The next tick tries again, since a descriptor
    // that cannot be accepted stays readable and would spin this thread.
    bool accept_some() {
        for (int n = 0; n < 64; ++n) {
            const int descriptor = ::accept4(acceptor_->native_handle(), nullptr, nullptr,
                                             SOCK_NONBLOCK | SOCK_CLOEXEC);
            if (descriptor >= 0) {
                take(descriptor);
                continue;
            }
            if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
                shared_.log.warning("out of descriptors or memory: accepting pauses");
                return false;
            }
            if (errno != EINTR && errno != ECONNABORTED) return true;
        }
        return true;
    }
    void resume_accepting() { await_connections(); }

    void take(int descriptor) {
        if (shared_.open.fetch_add(1) >= shared_.options.connections) {
            shared_.open.fetch_sub(1);
            return refuse(descriptor);
        }
        Loop& loop = *loops_[next_++ % loops_.size()];
        const auto open = [this, &loop, descriptor] {
            if (loop.draining()) {
                ::close(descriptor);
                shared_.open.fetch_sub(1);
                return;
            }
            open_connection(loop, shared_, descriptor, tls());
        };
        loop.here() ? open() : loop.post(open);
    }

    // Sends the refusal once, without waiting: there is no Connection whose deadline could bound
    // it.
    void refuse(int descriptor) {
        shared_.rejected(503).add();
        if (!secure_) {
            const std::string body = status_json(503, "too many connections");
            HeadOptions head;
            head.content_length = body.size();
            head.keep_alive = false;
            const std::string text =
                head_text(503, {{"Content-Type", "application/json"}, {"Retry-After", "1"}}, head) +
                body;
            (void)!::send(descriptor, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
            // What the client has sent already must not turn the answer into a reset.
            ::shutdown(descriptor, SHUT_WR);
            char dropped[4096];
            while (::recv(descriptor, dropped, sizeof dropped, MSG_DONTWAIT) > 0) {
            }
        }
        ::close(descriptor);
    }

    HttpShared shared_;
    std::vector<std::unique_ptr<Loop>> loops_;
    bool secure_ = false;  // constant after listen()
    std::mutex tls_mutex_;
    std::shared_ptr<asio::ssl::context> tls_;  // guarded by tls_mutex_; null: plain HTTP
    std::optional<tcp::acceptor> acceptor_;
    std::uint16_t port_ = 0;
    std::size_t next_ = 0;
    bool waiting_ = false;
    std::vector<std::thread> threads_;
};

}  // namespace

Result<std::unique_ptr<HttpServer>> serve(const HttpOptions& options, Handler handler,
                                          Metrics& metrics, Log log, HeadCheck check) {
    auto server = std::make_unique<Server>(options, std::move(handler), std::move(check), metrics,
                                           std::move(log));
    TRY(server->listen());
    server->start();
    return std::unique_ptr<HttpServer>(std::move(server));
}

}  // namespace atelier::apiserver
