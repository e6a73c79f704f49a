// One I/O thread: its event loop, its open connections and its ticks.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "apiserver/http/byte_budget.h"
#include "apiserver/http/server.h"
#include "base/clock.h"

namespace boost::asio {
class io_context;
}

namespace atelier::apiserver {

class Connection;

// What all connections of a server share. Outlives them.
struct HttpShared {
    HttpShared(const HttpOptions& o, Handler h, HeadCheck c, Metrics& metrics, Log l);

    const HttpOptions options;
    const Handler handler;
    const HeadCheck check;  // may be empty
    const Log log;
    Metrics& metrics;
    Gauge& connections;
    Gauge& in_flight;
    Gauge& streams;
    Gauge& queued_bytes;
    Counter& requests;
    Counter& received_bytes;
    Counter& sent_bytes;
    Counter& streams_cut;

    Counter& rejected(int status);

    ByteBudget known_bytes;      // of requests whose sender is known
    ByteBudget anonymous_bytes;  // of all others

    // Open connections, all threads together; for the limit and for stop().
    std::atomic<std::size_t> open{0};
    std::mutex mutex;
    std::condition_variable all_closed;
};

class Loop {
  public:
    // The grain of every deadline: one tick for all connections instead of a timer for each.
    static constexpr Duration tick_length = std::chrono::milliseconds(100);

    explicit Loop(HttpShared& shared);
    ~Loop();
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;

    // Runs on its thread until release() was called and every connection is closed.
    void run();
    void release();
    // Shared with the connections: a connection that outlives the server still has its sockets'
    // service.
    std::shared_ptr<boost::asio::io_context> io();

    // Any thread.
    bool here() const;
    void post(std::function<void()> call);
    // Has `connection` flush soon. Many wakes are one post.
    void wake(std::shared_ptr<Connection> connection);

    // The rest only on the loop's thread.
    void enter(std::shared_ptr<Connection> connection);
    void leave(Connection& connection);
    void drain();  // answer what runs, take nothing new
    void cut_all();
    void on_tick(std::function<void()> call) { on_tick_ = std::move(call); }
    bool draining() const { return draining_; }
    std::uint64_t ticks() const { return ticks_; }
    std::uint64_t tick_after(Duration duration) const;
    std::string_view date();  // "Date: …\r\n"

  private:
    struct Asio;
    void schedule_tick();
    void tick();
    void flush_woken();

    HttpShared& shared_;
    std::unique_ptr<Asio> asio_;
    std::vector<std::shared_ptr<Connection>> connections_;
    std::function<void()> on_tick_;
    std::uint64_t ticks_ = 0;
    std::uint64_t date_tick_ = 0;
    std::string date_;
    bool draining_ = false;
    bool released_ = false;

    std::mutex mutex_;  // guards what follows
    std::vector<std::shared_ptr<Connection>> woken_;
    bool closed_ = false;  // run() is over: nothing will be flushed any more
};

}  // namespace atelier::apiserver
