#include "tests/bench/fan_out.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <memory>
#include <thread>

#include "base/result.h"

namespace atelier::bench {
namespace {

constexpr std::string_view target = "/apis/atelier.dev/v1alpha1/namespaces/stored/workspaces";
constexpr std::string_view mark = "{\"type\"";  // begins each event
constexpr std::size_t event_bytes = 700;

void allow_descriptors(int most) {
    rlimit limit{};
    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    limit.rlim_cur = std::max<rlim_t>(limit.rlim_cur, static_cast<rlim_t>(most) + 200);
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
}

// Reads from many sockets and counts events; a mark may be cut in two by the end of a read.
class Readers {
  public:
    void add(int socket) {
        polled_.push_back({socket, POLLIN, 0});
        seen_.push_back(0);
        matched_.push_back(0);
    }
    // Until each has seen so many in all.
    void until(std::size_t wanted) {
        std::size_t done = 0;
        for (const std::size_t seen : seen_) done += seen >= wanted ? 1 : 0;
        while (done < seen_.size()) {
            CHECK(poll(polled_.data(), polled_.size(), 60'000) > 0);
            for (std::size_t i = 0; i < polled_.size(); ++i) {
                if (!(polled_[i].revents & (POLLIN | POLLHUP))) continue;
                const bool was = seen_[i] >= wanted;
                take(i);
                done += !was && seen_[i] >= wanted ? 1 : 0;
            }
        }
    }
    std::size_t size() const { return seen_.size(); }

  private:
    void take(std::size_t i) {
        std::array<char, 1 << 15> bytes{};
        const ssize_t got = recv(polled_[i].fd, bytes.data(), bytes.size(), 0);
        CHECK(got > 0);
        std::string_view text(bytes.data(), static_cast<std::size_t>(got));
        // The rest of a mark that began at the end of the last read.
        if (matched_[i] > 0) {
            const std::string_view rest = mark.substr(matched_[i]);
            if (text.substr(0, rest.size()) == rest) ++seen_[i];
        }
        std::size_t at = 0;
        while ((at = text.find(mark, at)) != text.npos) {
            ++seen_[i];
            at += mark.size();
        }
        matched_[i] = 0;
        for (std::size_t n = mark.size() - 1; n > 0; --n) {
            if (!text.ends_with(mark.substr(0, n))) continue;
            matched_[i] = n;
            break;
        }
    }
    std::vector<pollfd> polled_;
    std::vector<std::size_t> seen_;
    std::vector<std::size_t> matched_;
};

// A process that writes an event to each of its connections for each byte that it is sent.
class BareWriter {
  public:
    explicit BareWriter(int readers) {
        const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        auto* const any = reinterpret_cast<sockaddr*>(&address);
        CHECK(bind(listener, any, size) == 0 && listen(listener, 1024) == 0);
        CHECK(getsockname(listener, any, &size) == 0);
        port_ = ntohs(address.sin_port);
        int ends[2];
        CHECK(pipe(ends) == 0);
        process_ = fork();
        CHECK(process_ >= 0);
        if (process_ == 0) {
            close(ends[1]);
            serve(listener, readers, ends[0]);
        }
        close(listener);
        close(ends[0]);
        control_ = ends[1];
    }
    ~BareWriter() {
        close(control_);
        waitpid(process_, nullptr, 0);
    }
    BareWriter(const BareWriter&) = delete;
    BareWriter& operator=(const BareWriter&) = delete;

    std::uint16_t port() const { return port_; }
    pid_t process() const { return process_; }
    void tell() { CHECK(write(control_, "x", 1) == 1); }

  private:
    [[noreturn]] static void serve(int listener, int readers, int control) {
        std::vector<int> sockets;
        for (int i = 0; i < readers; ++i) sockets.push_back(accept(listener, nullptr, nullptr));
        const std::string event = std::string(mark) + std::string(event_bytes - mark.size(), 'x');
        char byte = 0;
        while (read(control, &byte, 1) == 1) {
            for (const int socket : sockets) {
                CHECK(::send(socket, event.data(), event.size(), 0) ==
                      static_cast<ssize_t>(event.size()));
            }
        }
        _exit(0);
    }
    std::uint16_t port_ = 0;
    pid_t process_ = 0;
    int control_ = -1;
};

// Events told one after another without waiting for the readers of the one before.
Rate deliver(pid_t process, Readers& readers, std::size_t so_far, int events,
             const std::function<void(int)>& tell) {
    const double cpu = cpu_seconds(process);
    const auto begin = Steady::now();
    std::jthread teller([&] {
        for (int i = 0; i < events; ++i) tell(i);
    });
    readers.until(so_far + static_cast<std::size_t>(events));
    const double wall = seconds_since(begin);
    const double deliveries = static_cast<double>(readers.size()) * events;
    return {deliveries / wall, (cpu_seconds(process) - cpu) / deliveries * 1e6, 0, 0};
}

class Watched {
  public:
    Watched(const Server& server, int watchers) : server_(server), writer_(server.port()) {
        change();
        const std::string from = revision(writer_.body());
        const double cpu = cpu_seconds(server.process());
        const double memory = resident_bytes(server.process());
        for (int i = 0; i < watchers; ++i) {
            clients_.push_back(std::make_unique<Client>(server.port()));
            clients_.back()->send("GET",
                                  fmt::format("{}?watch=1&resourceVersion={}", target, from));
            readers_.add(clients_.back()->descriptor());
        }
        // Who has the next event is open. Telling it is cheap beside opening.
        change();
        readers_.until(++told_);
        open_micros_ = (cpu_seconds(server.process()) - cpu) / watchers * 1e6;
        idle_bytes_ = (resident_bytes(server.process()) - memory) / watchers;
    }
    void change() {
        const std::string patch = fmt::format(R"({{"spec":{{"role":"{:0>300}"}}}})", ++changes_);
        CHECK(writer_.ask("PATCH", std::string(target) + "/w-0", patch,
                          "application/merge-patch+json") == 200);
    }
    Rate burst(int events) {
        const Rate rate =
            deliver(server_.process(), readers_, told_, events, [&](int) { change(); });
        told_ += static_cast<std::size_t>(events);
        return rate;
    }
    // Milliseconds from the writer's request until the last watcher has it.
    std::vector<double> paced(int events) {
        std::vector<double> taken;
        auto next = Steady::now();
        for (int i = 0; i < events; ++i) {
            std::this_thread::sleep_until(next);
            next += std::chrono::milliseconds(100);
            const auto begin = Steady::now();
            change();
            readers_.until(++told_);
            taken.push_back(seconds_since(begin) * 1e3);
        }
        return taken;
    }
    double open_micros() const { return open_micros_; }
    double idle_bytes() const { return idle_bytes_; }

  private:
    static std::string revision(std::string_view object) {
        constexpr std::string_view name = "\"resourceVersion\":\"";
        const std::size_t at = object.find(name);
        CHECK(at != object.npos);
        const std::string_view rest = object.substr(at + name.size());
        return std::string(rest.substr(0, rest.find('"')));
    }
    const Server& server_;
    Client writer_;
    Readers readers_;
    std::vector<std::unique_ptr<Client>> clients_;
    std::size_t told_ = 0;
    int changes_ = 0;
    double open_micros_ = 0;
    double idle_bytes_ = 0;
};

}  // namespace

void measure_fan_out(const Server& server, int watchers, int events, int rounds) {
    allow_descriptors(2 * watchers);
    BareWriter bare(watchers);
    Readers bare_readers;
    std::vector<std::unique_ptr<Client>> bare_clients;
    for (int i = 0; i < watchers; ++i) {
        bare_clients.push_back(std::make_unique<Client>(bare.port()));
        bare_readers.add(bare_clients.back()->descriptor());
    }
    Watched watched(server, watchers);
    line(fmt::format("opening one of {} watchers", watchers),
         fmt::format("cpu {:.0f} us, resident {:.1f} kB", watched.open_micros(),
                     watched.idle_bytes() / 1e3));
    Rounds deliveries(fmt::format("deliveries to {} watchers", watchers));
    std::vector<double> bare_cpu;
    std::size_t told = 0;
    for (int round = 0; round < rounds; ++round) {
        deliveries.add(watched.burst(events));
        const Rate plain =
            deliver(bare.process(), bare_readers, told, events, [&](int) { bare.tell(); });
        told += static_cast<std::size_t>(events);
        deliveries.beside("one writer on plain TCP", plain.per_second);
        bare_cpu.push_back(plain.cpu_micros);
    }
    deliveries.print();
    line("  cpu of the writer on plain TCP", range(bare_cpu, 1) + " us each");
    const auto taken = watched.paced(std::max(3, events / 2));
    line(fmt::format("ten a second, the last of {} has it", watchers),
         fmt::format("p50 {:.1f} ms   p99 {:.1f} ms", quantile(taken, 0.5), quantile(taken, 0.99)));
}

}  // namespace atelier::bench
