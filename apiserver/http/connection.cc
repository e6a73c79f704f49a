#include "apiserver/http/connection.h"

#include <cstring>
#include <exception>

#include "apiserver/http/message.h"

namespace atelier::apiserver {
namespace {

// How many bytes of a next request are read while the current one is being answered.
constexpr std::size_t most_read_ahead = 64 << 10;
// After a refusal the rest of the request is read and dropped for a while: closing at once would
// reset the connection, and the client would not see why.
constexpr Duration linger_deadline = std::chrono::seconds(2);
constexpr std::size_t most_discarded = 8 << 20;
// The part of a read buffer that every connection has; only what is above it counts as a request's.
constexpr std::size_t small_buffer = 4 << 10;

}  // namespace

Connection::Connection(Loop& loop, HttpShared& shared, std::string peer)
    : loop_(loop),
      shared_(shared),
      peer_(std::move(peer)),
      parser_({shared.options.header_bytes, shared.options.body_bytes}),
      share_(shared.anonymous_bytes),
      most_body_bytes_(shared.options.body_bytes) {}

void Connection::enter_phase(Phase phase, Duration deadline) {
    phase_ = phase;
    deadline_ = deadline == Duration::zero() ? 0 : loop_.tick_after(deadline);
}

void Connection::start() {
    loop_.enter(shared_from_this());
    enter_phase(Phase::handshake, shared_.options.header_deadline);
    begin_handshake();
}

void Connection::on_handshake(bool good, std::string client_identity) {
    if (phase_ == Phase::closed) return;
    if (!good) return close(false);
    client_identity_ = std::move(client_identity);
    // A client that connects and says nothing gets no longer than one that is slow.
    enter_phase(Phase::idle, shared_.options.header_deadline);
    read();
}

void Connection::read() {
    if (reading_ || peer_done_ || phase_ == Phase::closed) return;
    if (begin_ == end_) begin_ = end_ = 0;
    const std::size_t most = std::max(most_read_ahead, 2 * shared_.options.header_bytes);
    if (end_ - begin_ >= most) return;
    if (end_ == in_.size() && begin_ > 0) {
        std::memmove(in_.data(), in_.data() + begin_, end_ - begin_);
        end_ -= begin_;
        begin_ = 0;
    }
    const std::size_t least = phase_ == Phase::body ? 32 << 10 : small_buffer;
    if (end_ == in_.size() || in_.size() < least) {
        in_.resize(std::min(most, std::max(least, in_.size() * 2)));
    }
    reading_ = true;
    begin_read(in_.data() + end_, in_.size() - end_);
}

void Connection::on_read(std::ptrdiff_t bytes) {
    reading_ = false;
    if (phase_ == Phase::closed) return;
    if (bytes <= 0) {
        peer_done_ = true;
        const bool answering = phase_ == Phase::handling || phase_ == Phase::replying;
        // A client may end its side and still wait for its answer, but not for the end of a stream.
        if (bytes < 0 || !answering) close(bytes < 0);
        return;
    }
    shared_.received_bytes.add(static_cast<double>(bytes));
    end_ += static_cast<std::size_t>(bytes);
    if (phase_ == Phase::lingering) {
        discarded_ += end_ - begin_;
        begin_ = end_ = 0;
        if (discarded_ > most_discarded) return close(true);
        return read();
    }
    advance();
}

// Some clients send an empty line after a body; RFC 9112 2.2 asks to ignore it.
void Connection::skip_empty_lines() {
    while (begin_ < end_ && (in_[begin_] == '\r' || in_[begin_] == '\n')) ++begin_;
}

void Connection::advance() {
    if (phase_ == Phase::idle) {
        skip_empty_lines();
        if (begin_ < end_) enter_phase(Phase::head, shared_.options.header_deadline);
    }
    while (phase_ == Phase::head || phase_ == Phase::body) {
        std::size_t used = 0;
        const auto outcome = parser_.feed(buffered(), used);
        begin_ += used;
        if (outcome == RequestParser::Outcome::failed) {
            return fail(parser_.status(), parser_.message());
        }
        if (!account()) return;
        if (outcome == RequestParser::Outcome::done) return dispatch();
        if (outcome == RequestParser::Outcome::need_more) break;
        check_head();
    }
    if (peer_done_ && phase_ != Phase::handling && phase_ != Phase::replying) return close(false);
    read();
}

// A body follows: whether it is wanted is decided before it is read.
void Connection::check_head() {
    const HeadVerdict verdict = shared_.check ? shared_.check(parser_.head()) : HeadVerdict{};
    if (verdict.refuse) {
        linger_ = true;
        return dispatch();
    }
    if (verdict.known) share_.move_to(shared_.known_bytes);
    most_body_bytes_ = std::min(verdict.body_bytes, shared_.options.body_bytes);
    enter_phase(Phase::body, shared_.options.body_deadline);
    if (parser_.expects_continue() && begin_ == end_) {
        queue_out("HTTP/1.1 100 Continue\r\n\r\n");
        pump();
    }
}

// Counts what the request holds by now. False: it is refused.
bool Connection::account() {
    if (parser_.body_size() > most_body_bytes_) {
        fail(413, "the body is larger than " + std::to_string(most_body_bytes_) + " bytes");
        return false;
    }
    const std::size_t buffer = in_.size() - std::min(in_.size(), small_buffer);
    if (share_.resize(buffer + parser_.body_capacity())) return true;
    fail(429, "the server holds too many unfinished requests: try again in a moment");
    return false;
}

void Connection::dispatch() {
    head_only_ = parser_.is_head_method();
    http_1_0_ = parser_.http_1_0();
    keep_alive_ = parser_.keep_alive() && !linger_;
    Request request = parser_.take();
    request.peer = peer_;
    request.client_identity = client_identity_;
    enter_phase(Phase::handling, Duration::zero());
    std::uint64_t exchange = 0;
    {
        const std::lock_guard lock(mutex_);
        exchange = exchange_ = ++exchanges_;
        answered_ = stream_open_ = finished_ = cut_ = false;
    }
    shared_.in_flight.add(1);
    shared_.requests.add();
    try {
        shared_.handler(std::move(request), make_sink(shared_from_this(), exchange));
    } catch (const std::exception& e) {
        // The sink that the handler dropped has answered with 500.
        shared_.log.error("a handler threw", {{"what", e.what()}});
    }
    // One read is always under way, so that the end of the connection is noticed at once.
    read();
}

void Connection::fail(int status, const std::string& message) {
    shared_.rejected(status).add();
    keep_alive_ = false;
    linger_ = true;
    http_1_0_ = parser_.http_1_0();
    head_only_ = parser_.is_head_method();
    Answer answer{status, {{"Content-Type", "application/json"}}, error_body(status, message)};
    if (status == 503 || status == 429) answer.headers.emplace_back("Retry-After", "1");
    send(answer);
}

void Connection::end_exchange() {
    std::function<void()> dropped;
    bool answered = false;
    {
        const std::lock_guard lock(mutex_);
        answered = exchange_ != 0;
        exchange_ = 0;
        dropped = std::move(on_closed_);
        on_closed_ = nullptr;
    }
    if (answered) shared_.in_flight.add(-1);
    share_.move_to(shared_.anonymous_bytes);
    most_body_bytes_ = shared_.options.body_bytes;
    if (linger_) return linger();
    if (!keep_alive_ || loop_.draining()) return close(false);
    parser_.reset();
    if (begin_ == end_ && !reading_ && in_.size() > (16 << 10)) {
        in_ = {};
        begin_ = end_ = 0;
    }
    enter_phase(Phase::idle, shared_.options.idle_deadline);
    advance();
}

void Connection::linger() {
    enter_phase(Phase::lingering, linger_deadline);
    if (peer_done_) return close(false);
    half_close();
    if (reading_) return;
    begin_ = end_ = 0;
    read();
}

void Connection::on_deadline() {
    switch (phase_) {
        case Phase::head:
            return fail(408, "the header did not arrive in time");
        case Phase::body:
            return fail(408, "the body did not arrive in time");
        case Phase::streaming:
            shared_.streams_cut.add();
            return close(true);
        case Phase::replying:
            return close(true);
        default:
            return close(false);
    }
}

void Connection::drain() {
    switch (phase_) {
        case Phase::handshake:
        case Phase::idle:
            return close(false);
        case Phase::head:
        case Phase::body:
            return fail(503, "the server is shutting down");
        default:
            return;  // ends after its answer
    }
}

void Connection::cut() {
    close(true);
}

void Connection::close(bool reset) {
    if (phase_ == Phase::closed) return;
    const auto self = shared_from_this();
    if (phase_ == Phase::streaming) shared_.streams.add(-1);
    phase_ = Phase::closed;
    deadline_ = 0;
    std::function<void()> call;
    std::function<void()> dropped;
    std::deque<Frame> frames;
    {
        const std::lock_guard lock(mutex_);
        if (exchange_ != 0) shared_.in_flight.add(-1);
        (finished_ ? dropped : call) = std::move(on_closed_);
        on_closed_ = nullptr;
        exchange_ = 0;
        answer_.reset();
        frames.swap(frames_);
        shared_.queued_bytes.add(-static_cast<double>(queued_bytes_));
        queued_bytes_ = 0;
    }
    share_.resize(0);
    close_socket(reset);
    loop_.leave(*this);
    if (call) call();
}

void Connection::flush() {
    std::unique_ptr<Answer> answer;
    bool cut_now = false;
    {
        const std::lock_guard lock(mutex_);
        woken_ = false;
        answer = std::move(answer_);
        cut_now = cut_;
    }
    if (phase_ == Phase::closed) return;
    if (cut_now) return close(true);
    if (answer) send(*answer);
    if (phase_ == Phase::streaming) send_frames();
}

}  // namespace atelier::apiserver
