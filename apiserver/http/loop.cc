#include "apiserver/http/loop.h"

#include <utility>
// After <utility>: Asio 1.74 uses std::exchange without including it.
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "apiserver/http/connection.h"
#include "apiserver/http/message.h"

namespace atelier::apiserver {
namespace {

namespace asio = boost::asio;

}  // namespace

HttpShared::HttpShared(const HttpOptions& o, Handler h, HeadCheck c, Metrics& m, Log l)
    : options(o),
      handler(std::move(h)),
      check(std::move(c)),
      log(std::move(l)),
      metrics(m),
      connections(m.gauge("atelier_http_connections", "Open connections of clients.")),
      in_flight(m.gauge("atelier_http_requests_in_flight", "Requests being answered.")),
      streams(m.gauge("atelier_http_streams", "Streamed answers being sent.")),
      queued_bytes(m.gauge("atelier_http_stream_queued_bytes",
                           "Bytes of streamed answers that wait for their clients.")),
      requests(m.counter("atelier_http_requests_total", "Requests given to a handler.")),
      received_bytes(m.counter("atelier_http_received_bytes_total", "Bytes read from clients.")),
      sent_bytes(m.counter("atelier_http_sent_bytes_total", "Bytes written to clients.")),
      streams_cut(m.counter("atelier_http_streams_cut_total",
                            "Streams ended because the client read too slowly.")),
      known_bytes(o.request_bytes),
      anonymous_bytes(o.anonymous_request_bytes) {}

Counter& HttpShared::rejected(int status) {
    return metrics.counter("atelier_http_rejected_total",
                           "Requests refused before any handler saw them, by status.",
                           {{"code", std::to_string(status)}});
}

struct Loop::Asio {
    std::shared_ptr<asio::io_context> io = std::make_shared<asio::io_context>(1);
    asio::executor_work_guard<asio::io_context::executor_type> work{io->get_executor()};
    asio::steady_timer timer{*io};
};

Loop::Loop(HttpShared& shared) : shared_(shared), asio_(std::make_unique<Asio>()) {}
Loop::~Loop() = default;

std::shared_ptr<asio::io_context> Loop::io() {
    return asio_->io;
}
bool Loop::here() const {
    return asio_->io->get_executor().running_in_this_thread();
}
void Loop::post(std::function<void()> call) {
    asio::post(*asio_->io, std::move(call));
}

void Loop::run() {
    schedule_tick();
    asio_->io->run();
    const std::lock_guard lock(mutex_);
    closed_ = true;
    woken_.clear();
}

void Loop::release() {
    post([this] {
        released_ = true;
        asio_->timer.cancel();
        asio_->work.reset();
    });
}

void Loop::wake(std::shared_ptr<Connection> connection) {
    bool first = false;
    {
        const std::lock_guard lock(mutex_);
        if (closed_) return;
        first = woken_.empty();
        woken_.push_back(std::move(connection));
    }
    if (first) asio::post(*asio_->io, [this] { flush_woken(); });
}

void Loop::flush_woken() {
    std::vector<std::shared_ptr<Connection>> woken;
    {
        const std::lock_guard lock(mutex_);
        woken.swap(woken_);
    }
    for (const auto& connection : woken) connection->flush();
}

void Loop::enter(std::shared_ptr<Connection> connection) {
    connection->index = connections_.size();
    connections_.push_back(std::move(connection));
    shared_.connections.add(1);
}

void Loop::leave(Connection& connection) {
    const std::size_t index = connection.index;
    if (index != connections_.size() - 1) {
        std::swap(connections_[index], connections_.back());
        connections_[index]->index = index;
    }
    const std::shared_ptr<Connection> last_reference = std::move(connections_.back());
    connections_.pop_back();
    shared_.connections.add(-1);
    if (shared_.open.fetch_sub(1) == 1) {
        const std::lock_guard lock(shared_.mutex);
        shared_.all_closed.notify_all();
    }
}

// The three walks go from the end, because a connection that closes itself swaps places with the
// last one, which has been visited by then.
void Loop::drain() {
    draining_ = true;
    for (std::size_t i = connections_.size(); i-- > 0;) {
        const auto connection = connections_[i];
        connection->drain();
    }
}

void Loop::cut_all() {
    for (std::size_t i = connections_.size(); i-- > 0;) {
        const auto connection = connections_[i];
        connection->cut();
    }
}

void Loop::tick() {
    ++ticks_;
    for (std::size_t i = connections_.size(); i-- > 0;) {
        if (!connections_[i]->overdue(ticks_)) continue;
        const auto connection = connections_[i];
        connection->on_deadline();
    }
    if (on_tick_) on_tick_();
}

void Loop::schedule_tick() {
    asio_->timer.expires_after(tick_length);
    asio_->timer.async_wait([this](const boost::system::error_code&) {
        if (released_) return;
        tick();
        schedule_tick();
    });
}

std::uint64_t Loop::tick_after(Duration duration) const {
    // One more, since the running tick is already under way.
    return ticks_ +
           static_cast<std::uint64_t>((duration + tick_length - Duration(1)) / tick_length) + 1;
}

std::string_view Loop::date() {
    if (date_.empty() || ticks_ >= date_tick_) {
        date_ = "Date: " + http_date(SystemClock().now()) + "\r\n";
        date_tick_ = ticks_ + 10;
    }
    return date_;
}

}  // namespace atelier::apiserver
