// How fast the API is, against what its own HTTP server can do in the same minute.
//
//   atelier_api_bench [--seconds N] [--clients N] [--watchers N] [--folder PATH]
//
// The server is a process of its own: SQLite, no TLS. Each figure is followed by a round of bare
// replies of 700 bytes from the same server; a ratio of 1 says that the verb costs nothing.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>
#include <vector>

#include "apiserver/api.h"
#include "apiserver/http_server.h"
#include "store/open.h"

namespace atelier {
namespace {

using Steady = std::chrono::steady_clock;

struct Settings {
    double seconds = 3;
    int clients = 32;
    int watchers = 1000;
    std::filesystem::path folder = std::filesystem::temp_directory_path();
};

constexpr std::string_view maps = "/apis/atelier.dev/v1alpha1/namespaces/default/workspaces";

double seconds_since(Steady::time_point begin) {
    return std::chrono::duration<double>(Steady::now() - begin).count();
}

// ---- the server, in a child process; writes its port to `out` and serves until killed.
[[noreturn]] void serve(const Settings& settings, int out) {
    const auto file = settings.folder / fmt::format("api-bench-{}.db", getpid());
    SystemClock clock;
    SystemRandom random;
    Metrics metrics;
    store::Options options;
    options.url = "sqlite:" + file.string();
    options.encryption_key = std::string(32, 'k');
    auto store = store::open(options, clock, random, metrics, Log());
    auto kinds = crds::atelier_kinds();
    CHECK(store && kinds);
    crds::add_core_kinds(*kinds);
    apiserver::ApiOptions api_options;
    api_options.credentials = {{"right", "admin", {}}};
    apiserver::Api api(**store, *kinds, clock, random, metrics, Log(), api_options);
    CHECK(api.seed());
    const auto bare = std::make_shared<const std::string>(700, 'x');
    apiserver::HttpOptions http;
    http.stream_cap_bytes = 16 << 20;
    auto server = apiserver::serve(
        http,
        [&](apiserver::Request request, std::shared_ptr<apiserver::ResponseSink> sink) {
            if (request.path == "/bare") {
                return sink->reply(200, {{"Content-Type", "application/json"}}, bare);
            }
            api.handle(std::move(request), std::move(sink));
        },
        metrics, Log());
    CHECK(server);
    const std::uint16_t port = (*server)->port();
    CHECK(write(out, &port, sizeof port) == sizeof port);
    while (true) pause();
}

// ---- a client: one connection, one request at a time.
class Client {
  public:
    explicit Client(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        CHECK(connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
        const int on = 1;
        setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    ~Client() { ::close(socket_); }
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    void send(std::string_view method, std::string_view target, std::string_view body = {},
              std::string_view type = "application/json") {
        const std::string text = fmt::format(
            "{} {} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer right\r\nContent-Type: {}\r\n"
            "Content-Length: {}\r\n\r\n{}",
            method, target, type, body.size(), body);
        CHECK(::send(socket_, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()));
    }
    // The status of the answer, whose body is read and dropped; its size is in `received`.
    int ask(std::string_view method, std::string_view target, std::string_view body = {},
            std::string_view type = "application/json") {
        send(method, target, body, type);
        std::size_t head = std::string::npos;
        while ((head = buffer_.find("\r\n\r\n")) == std::string::npos) read();
        const std::size_t at = buffer_.find("Content-Length: ");
        CHECK(at < head);
        const std::size_t size = std::stoul(buffer_.substr(at + 16, 12));
        const int status = std::stoi(buffer_.substr(9, 3));
        while (buffer_.size() < head + 4 + size) read();
        received = size;
        buffer_.erase(0, head + 4 + size);
        return status;
    }
    int descriptor() const { return socket_; }
    std::size_t received = 0;

  private:
    void read() {
        char bytes[1 << 16];
        const ssize_t got = recv(socket_, bytes, sizeof bytes, 0);
        CHECK(got > 0);
        buffer_.append(bytes, static_cast<std::size_t>(got));
    }
    int socket_;
    std::string buffer_;
};

struct Server {
    pid_t pid = 0;
    std::uint16_t port = 0;

    double cpu_seconds() const {
        std::ifstream stat(fmt::format("/proc/{}/stat", pid));
        std::string word;
        double user = 0;
        double system = 0;
        for (int i = 0; i < 13; ++i) stat >> word;
        stat >> user >> system;
        return (user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
    }
    double resident_megabytes() const {
        std::ifstream statm(fmt::format("/proc/{}/statm", pid));
        double pages = 0;
        statm >> pages >> pages;
        return pages * static_cast<double>(sysconf(_SC_PAGESIZE)) / 1e6;
    }
};

struct Figure {
    double per_second = 0;
    double p50 = 0;  // milliseconds
    double p99 = 0;
    double cpu_micros = 0;  // of the server, per operation
};

// `one` does one operation with its client; the number is unique.
Figure measure(const Server& server, const Settings& settings, int clients,
               const std::function<void(Client&, int number)>& one) {
    std::atomic<int> next{0};
    std::vector<std::vector<double>> taken(static_cast<std::size_t>(clients));
    const double cpu = server.cpu_seconds();
    const auto begin = Steady::now();
    {
        std::vector<std::jthread> threads;
        for (auto& mine : taken) {
            threads.emplace_back([&] {
                Client client(server.port);
                while (seconds_since(begin) < settings.seconds) {
                    const auto start = Steady::now();
                    one(client, next.fetch_add(1));
                    mine.push_back(seconds_since(start) * 1e3);
                }
            });
        }
    }
    const double wall = seconds_since(begin);
    std::vector<double> all;
    for (const auto& mine : taken) all.insert(all.end(), mine.begin(), mine.end());
    std::sort(all.begin(), all.end());
    const auto count = static_cast<double>(all.size());
    return {count / wall, all[all.size() / 2], all[all.size() * 99 / 100],
            (server.cpu_seconds() - cpu) / count * 1e6};
}

void report(std::string_view name, const Figure& it, const Figure& bare) {
    fmt::print(
        "{:<28} {:>9.0f}/s  p50 {:>7.2f} ms  p99 {:>7.2f} ms  cpu {:>7.1f} us   bare {:>8.0f}/s"
        "  ratio {:.2f}\n",
        name, it.per_second, it.p50, it.p99, it.cpu_micros, bare.per_second,
        it.per_second / bare.per_second);
    std::fflush(stdout);
}

std::string workspace(int number) {
    return fmt::format(R"({{"apiVersion":"atelier.dev/v1alpha1","kind":"Workspace","metadata":)"
                       R"({{"name":"w-{}","labels":{{"a":"b"}}}},"spec":{{"runtime":"hermes",)"
                       R"("initialPrompt":"{}"}}}})",
                       number, std::string(300, 'p'));
}

// One event to many watchers: how long until the last has it, and how many a second.
void fan_out(const Server& server, const Settings& settings) {
    std::vector<std::unique_ptr<Client>> watchers;
    std::vector<pollfd> polled;
    const double opening = server.cpu_seconds();
    const double memory = server.resident_megabytes();
    for (int i = 0; i < settings.watchers; ++i) {
        watchers.push_back(std::make_unique<Client>(server.port));
        watchers.back()->send("GET", "/api/v1/namespaces/default/configmaps?watch=1");
        polled.push_back({watchers.back()->descriptor(), POLLIN, 0});
    }
    std::vector<std::size_t> lines(watchers.size());
    const auto read_lines = [&](std::size_t wanted) {
        std::size_t done = 0;
        for (const std::size_t n : lines) done += n >= wanted ? 1 : 0;
        while (done < lines.size()) {
            poll(polled.data(), polled.size(), 1000);
            for (std::size_t i = 0; i < polled.size(); ++i) {
                if (!(polled[i].revents & POLLIN)) continue;
                char bytes[1 << 15];
                const ssize_t got = recv(polled[i].fd, bytes, sizeof bytes, 0);
                CHECK(got > 0);
                // Each event is one line that begins so.
                const std::string_view text(bytes, static_cast<std::size_t>(got));
                const bool was = lines[i] >= wanted;
                for (std::size_t at = text.find("{\"type\""); at != text.npos;
                     at = text.find("{\"type\"", at + 1)) {
                    ++lines[i];
                }
                done += !was && lines[i] >= wanted ? 1 : 0;
            }
        }
    };
    Client writer(server.port);
    const auto create = [&](int number) {
        const std::string body =
            fmt::format(R"({{"metadata":{{"name":"m{}"}},"data":{{"a":"{}"}}}})", number,
                        std::string(500, 'x'));
        CHECK(writer.ask("POST", "/api/v1/namespaces/default/configmaps", body) == 201);
    };
    create(0);
    read_lines(1);
    const double opened = server.cpu_seconds();
    fmt::print("{} watchers: open {:.0f} us cpu, {:.1f} kB each\n", settings.watchers,
               (opened - opening) / settings.watchers * 1e6,
               (server.resident_megabytes() - memory) * 1e3 / settings.watchers);
    constexpr int events = 50;
    const auto begin = Steady::now();
    std::vector<double> taken;
    for (int i = 1; i <= events; ++i) {
        const auto start = Steady::now();
        create(i);
        read_lines(static_cast<std::size_t>(i) + 1);
        taken.push_back(seconds_since(start) * 1e3);
    }
    const double wall = seconds_since(begin);
    const double deliveries = static_cast<double>(events) * settings.watchers;
    std::sort(taken.begin(), taken.end());
    fmt::print(
        "watch fan-out to {:<10} {:>9.0f} deliveries/s  last has it: p50 {:.1f} ms  p99 {:.1f} ms"
        "  cpu {:.1f} us each\n",
        settings.watchers, deliveries / wall, taken[taken.size() / 2], taken.back(),
        (server.cpu_seconds() - opened) / deliveries * 1e6);
}

void run(const Server& server, const Settings& settings) {
    const auto bare = [&](int clients) {
        return measure(server, settings, clients,
                       [](Client& client, int) { CHECK(client.ask("GET", "/bare") == 200); });
    };
    const auto compare = [&](std::string_view name, int clients,
                             const std::function<void(Client&, int)>& one) {
        const Figure it = measure(server, settings, clients, one);
        report(name, it, bare(clients));
    };
    std::atomic<int> made{0};
    compare("create, 1 client", 1, [&](Client& client, int) {
        CHECK(client.ask("POST", maps, workspace(made.fetch_add(1))) == 201);
    });
    compare("create", settings.clients, [&](Client& client, int) {
        CHECK(client.ask("POST", maps, workspace(made.fetch_add(1))) == 201);
    });
    const int objects = made.load();
    compare("get", settings.clients, [&](Client& client, int number) {
        CHECK(client.ask("GET", fmt::format("{}/w-{}", maps, number % objects)) == 200);
    });
    compare("merge patch", settings.clients, [&](Client& client, int number) {
        const std::string target = fmt::format("{}/w-{}", maps, number % objects);
        const std::string patch =
            fmt::format(R"({{"metadata":{{"annotations":{{"n":"{}"}}}}}})", number);
        CHECK(client.ask("PATCH", target, patch, "application/merge-patch+json") == 200);
    });
    std::size_t bytes = 0;
    const Figure list = measure(server, settings, 1, [&](Client& client, int) {
        CHECK(client.ask("GET", maps) == 200);
        bytes = client.received;
    });
    fmt::print("list of {}: {:.1f} MB, p50 {:.1f} ms, p99 {:.1f} ms, cpu {:.1f} ms\n", objects,
               static_cast<double>(bytes) / 1e6, list.p50, list.p99, list.cpu_micros / 1e3);
    fmt::print("resident: {:.0f} MB with {} objects\n", server.resident_megabytes(), objects);
    fan_out(server, settings);
}

}  // namespace
}  // namespace atelier

int main(int count, char** arguments) {
    using namespace atelier;
    Settings settings;
    for (int i = 1; i + 1 < count; i += 2) {
        const std::string name = arguments[i];
        if (name == "--seconds") settings.seconds = std::stod(arguments[i + 1]);
        if (name == "--clients") settings.clients = std::stoi(arguments[i + 1]);
        if (name == "--watchers") settings.watchers = std::stoi(arguments[i + 1]);
        if (name == "--folder") settings.folder = arguments[i + 1];
    }
    std::signal(SIGPIPE, SIG_IGN);
    int pipe_ends[2];
    CHECK(pipe(pipe_ends) == 0);
    Server server;
    server.pid = fork();
    CHECK(server.pid >= 0);
    if (server.pid == 0) serve(settings, pipe_ends[1]);
    close(pipe_ends[1]);
    CHECK(read(pipe_ends[0], &server.port, sizeof server.port) == sizeof server.port);
    run(server, settings);
    kill(server.pid, SIGKILL);
    waitpid(server.pid, nullptr, 0);
    for (const char* end : {"", "-wal", "-shm"}) {
        std::error_code ignored;
        std::filesystem::remove(settings.folder / fmt::format("api-bench-{}.db{}", server.pid, end),
                                ignored);
    }
    return 0;
}
