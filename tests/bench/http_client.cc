#include "tests/bench/http_client.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <map>
#include <mutex>

#include "apiserver/api.h"
#include "apiserver/http/server.h"
#include "store/open.h"
#include "tests/bench/objects.h"

namespace atelier::bench {
namespace {

// Bodies of bare answers, made once each.
class BareBodies {
  public:
    apiserver::Frame of(std::size_t bytes) {
        const std::lock_guard lock(mutex_);
        auto& body = bodies_[bytes];
        if (!body) body = std::make_shared<const std::string>(bytes, 'x');
        return body;
    }

  private:
    std::mutex mutex_;
    std::map<std::size_t, apiserver::Frame> bodies_;
};

[[noreturn]] void serve(const std::string& url, int objects, int out) {
    SystemClock clock;
    SystemRandom random;
    Metrics metrics;
    auto store = store::open({.url = url, .encryption_key = std::string(32, 'k')}, clock, random,
                             metrics, Log());
    auto kinds = crds::atelier_kinds();
    CHECK(store && kinds);
    crds::add_core_kinds(*kinds);
    if ((*store)->list("workspaces.atelier.dev")->objects.empty()) fill(**store, objects, "stored");
    apiserver::ApiOptions api_options;
    api_options.credentials = {{"right", "admin", {}}};
    apiserver::Api api(**store, *kinds, clock, random, metrics, Log(), api_options);
    CHECK(api.seed());
    BareBodies bare;
    auto server = apiserver::serve(
        {},
        [&](apiserver::Request request, std::shared_ptr<apiserver::ResponseSink> sink) {
            if (request.path.starts_with("/bare/")) {
                return sink->reply(200, {{"Content-Type", "application/json"}},
                                   bare.of(std::stoul(request.path.substr(6))));
            }
            api.handle(std::move(request), std::move(sink));
        },
        metrics, Log());
    CHECK(server);
    const std::uint16_t port = (*server)->port();
    CHECK(write(out, &port, sizeof port) == sizeof port);
    while (true) pause();
}

}  // namespace

Client::Client(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    const int on = 1;
    setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

Client::~Client() {
    ::close(socket_);
}

void Client::send(std::string_view method, std::string_view target, std::string_view body,
                  std::string_view type) {
    const std::string text = fmt::format(
        "{} {} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer right\r\nContent-Type: {}\r\n"
        "Content-Length: {}\r\n\r\n{}",
        method, target, type, body.size(), body);
    CHECK(::send(socket_, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()));
}

int Client::ask(std::string_view method, std::string_view target, std::string_view body,
                std::string_view type) {
    buffer_.clear();
    send(method, target, body, type);
    std::size_t head = std::string::npos;
    while ((head = buffer_.find("\r\n\r\n")) == std::string::npos) read();
    const std::size_t at = buffer_.find("Content-Length: ");
    CHECK(at < head);
    const std::size_t size = std::stoul(buffer_.substr(at + 16, 12));
    const int status = std::stoi(buffer_.substr(9, 3));
    while (buffer_.size() < head + 4 + size) read();
    body_at_ = head + 4;
    return status;
}

void Client::read() {
    std::array<char, 1 << 16> bytes{};
    const ssize_t got = recv(socket_, bytes.data(), bytes.size(), 0);
    CHECK(got > 0);
    buffer_.append(bytes.data(), static_cast<std::size_t>(got));
}

Server::Server(const std::string& store_url, int objects) {
    int ends[2];
    CHECK(pipe(ends) == 0);
    const auto begin = Steady::now();
    process_ = fork();
    CHECK(process_ >= 0);
    if (process_ == 0) serve(store_url, objects, ends[1]);
    close(ends[1]);
    CHECK(read(ends[0], &port_, sizeof port_) == sizeof port_);
    close(ends[0]);
    seconds_to_serve_ = seconds_since(begin);
}

Server::~Server() {
    kill(process_, SIGKILL);
    waitpid(process_, nullptr, 0);
}

}  // namespace atelier::bench
