#include "apiserver/http_connection.h"

#include <cstdio>
#include <cstring>
#include <exception>

#include "apiserver/http_message.h"

namespace atelier::apiserver {
namespace {

// What a client may have sent ahead while its request is being answered.
constexpr std::size_t most_read_ahead = 64 << 10;
// After a refusal the rest of the request is read and dropped for a while: closing at once would
// reset the connection, and the client would not see why.
constexpr Duration linger_deadline = std::chrono::seconds(2);
constexpr std::size_t most_discarded = 8 << 20;
// Buffers of one gathered write; the head and the chunk's two lines are among them.
constexpr std::size_t most_frames = 60;

class Sink final : public ResponseSink {
  public:
    Sink(std::shared_ptr<Connection> connection, std::uint64_t exchange)
        : connection_(std::move(connection)), exchange_(exchange) {}
    ~Sink() override { connection_->abandon(exchange_); }

    void reply(int status, Headers headers, Frame body) override {
        connection_->reply(exchange_, status, std::move(headers), std::move(body));
    }
    void start(int status, Headers headers) override {
        connection_->start_stream(exchange_, status, std::move(headers));
    }
    bool write(Frame frame) override { return connection_->write(exchange_, std::move(frame)); }
    void finish() override { connection_->finish(exchange_); }
    void on_closed(std::function<void()> call) override {
        connection_->on_closed(exchange_, std::move(call));
    }

  private:
    const std::shared_ptr<Connection> connection_;
    const std::uint64_t exchange_;
};

bool may_have_body(int status) {
    return status >= 200 && status != 204 && status != 304;
}

Frame error_body(int status, std::string_view message) {
    return std::make_shared<const std::string>(status_json(status, message));
}

}  // namespace

Connection::Connection(Loop& loop, HttpShared& shared, std::string peer)
    : loop_(loop),
      shared_(shared),
      peer_(std::move(peer)),
      parser_({shared.options.header_bytes, shared.options.body_bytes}) {}

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
    const std::size_t least = phase_ == Phase::body ? 32 << 10 : 4 << 10;
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
        if (outcome == RequestParser::Outcome::done) return dispatch();
        if (outcome == RequestParser::Outcome::failed) {
            return fail(parser_.status(), parser_.message());
        }
        if (outcome == RequestParser::Outcome::need_more) break;
        enter_phase(Phase::body, shared_.options.body_deadline);
        if (parser_.expects_continue() && begin_ == end_) {
            queue_out("HTTP/1.1 100 Continue\r\n\r\n");
            pump();
        }
    }
    if (peer_done_ && phase_ != Phase::handling && phase_ != Phase::replying) return close(false);
    read();
}

void Connection::dispatch() {
    head_only_ = parser_.is_head_method();
    http_1_0_ = parser_.http_1_0();
    keep_alive_ = parser_.keep_alive();
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
        shared_.handler(std::move(request), std::make_shared<Sink>(shared_from_this(), exchange));
    } catch (const std::exception& e) {
        // The sink that the handler dropped has answered with 500.
        shared_.log.error("a handler threw", {{"what", e.what()}});
    }
    // Always one read under way, so that a client that leaves is noticed at once.
    read();
}

void Connection::fail(int status, const std::string& message) {
    shared_.rejected(status).add();
    keep_alive_ = false;
    linger_ = true;
    http_1_0_ = parser_.http_1_0();
    head_only_ = parser_.is_head_method();
    Answer answer{status, {{"Content-Type", "application/json"}}, error_body(status, message)};
    if (status == 503) answer.headers.emplace_back("Retry-After", "1");
    send(answer);
}

void Connection::send(const Answer& answer) {
    if (answer.streamed && peer_done_) return close(true);
    if (loop_.draining() || (answer.streamed && http_1_0_)) keep_alive_ = false;
    const std::size_t size = answer.body ? answer.body->size() : 0;
    HeadOptions options;
    options.http_1_0 = http_1_0_;
    options.keep_alive = keep_alive_;
    options.date = loop_.date();
    if (answer.streamed) {
        options.chunked = !http_1_0_;
    } else if (may_have_body(answer.status)) {
        options.content_length = size;
    }
    head_ = head_text(answer.status, answer.headers, options);
    queue_out(head_);
    enter_phase(answer.streamed ? Phase::streaming : Phase::replying,
                shared_.options.write_deadline);
    if (answer.streamed) {
        last_chunk_sent_ = false;
        shared_.streams.add(1);
        return;  // flush() gathers the first frames into the same write
    }
    if (size > 0 && !head_only_ && may_have_body(answer.status)) {
        queue_out(*answer.body, answer.body);
    }
    pump();
}

// All frames that wait become one chunk: its size line, the shared frames as they are, a line end.
void Connection::send_frames() {
    if (writing_) return;
    const bool chunked = !http_1_0_ && !head_only_;
    const std::size_t size_line = out_.size();
    if (chunked) queue_out({chunk_head_, 1});
    std::size_t bytes = 0;
    {
        const std::lock_guard lock(mutex_);
        for (std::size_t n = 0; n < most_frames && !frames_.empty(); ++n) {
            bytes += frames_.front()->size();
            const std::string_view text = *frames_.front();
            if (!head_only_) queue_out(text, std::move(frames_.front()));
            frames_.pop_front();
        }
        last_chunk_sent_ = finished_ && frames_.empty();
    }
    batch_bytes_ = bytes;
    if (chunked && bytes > 0) {
        const int length = std::snprintf(chunk_head_, sizeof chunk_head_, "%zx\r\n", bytes);
        out_[size_line].iov_len = static_cast<std::size_t>(length);
        queue_out(last_chunk_sent_ ? "\r\n0\r\n\r\n" : "\r\n");
    } else if (chunked) {
        out_.pop_back();
        if (last_chunk_sent_) queue_out("0\r\n\r\n");
    }
    if (out_.empty()) {
        if (bytes > 0 || last_chunk_sent_) drained();
        return;
    }
    pump();
}

void Connection::queue_out(std::string_view bytes, Frame hold) {
    out_.push_back({const_cast<char*>(bytes.data()), bytes.size()});
    if (hold) held_.push_back(std::move(hold));
}

void Connection::pump() {
    if (writing_ || out_at_ == out_.size()) return;
    if (phase_ == Phase::replying || phase_ == Phase::streaming) {
        enter_phase(phase_, shared_.options.write_deadline);
    }
    writing_ = true;
    begin_write(std::span(out_).subspan(out_at_));
}

void Connection::on_write(std::ptrdiff_t bytes) {
    writing_ = false;
    if (phase_ == Phase::closed) return;
    if (bytes <= 0) return close(true);
    shared_.sent_bytes.add(static_cast<double>(bytes));
    auto left = static_cast<std::size_t>(bytes);
    while (left > 0) {
        iovec& front = out_[out_at_];
        const std::size_t n = std::min(left, front.iov_len);
        front.iov_base = static_cast<char*>(front.iov_base) + n;
        front.iov_len -= n;
        left -= n;
        if (front.iov_len == 0) ++out_at_;
    }
    if (out_at_ < out_.size()) return pump();
    out_.clear();
    held_.clear();
    out_at_ = 0;
    drained();
}

void Connection::drained() {
    if (phase_ == Phase::replying) return end_exchange();
    if (phase_ != Phase::streaming) return;
    deadline_ = 0;
    {
        const std::lock_guard lock(mutex_);
        queued_bytes_ -= batch_bytes_;
    }
    batch_bytes_ = 0;
    if (!last_chunk_sent_) return send_frames();
    shared_.streams.add(-1);
    end_exchange();
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
    }
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

// The functions of any thread hold mutex_ while they touch loop_ or shared_: close() needs mutex_
// too, so neither can be gone as long as exchange_ names a running exchange.

namespace {
void wake(Loop& loop, const std::shared_ptr<Connection>& connection, bool& woken) {
    if (woken) return;
    woken = true;
    loop.wake(connection);
}
}  // namespace

void Connection::reply(std::uint64_t exchange, int status, Headers headers, Frame body) {
    Answer answer{status, std::move(headers), std::move(body)};
    {
        const std::lock_guard lock(mutex_);
        if (exchange != exchange_ || answered_) return;
        answered_ = true;
        if (!loop_.here()) {
            answer_ = std::make_unique<Answer>(std::move(answer));
            return wake(loop_, shared_from_this(), woken_);
        }
    }
    send(answer);
}

void Connection::start_stream(std::uint64_t exchange, int status, Headers headers) {
    const std::lock_guard lock(mutex_);
    if (exchange != exchange_ || answered_) return;
    answered_ = stream_open_ = true;
    queued_bytes_ = 0;
    answer_ = std::make_unique<Answer>(Answer{status, std::move(headers), nullptr, true});
    wake(loop_, shared_from_this(), woken_);
}

bool Connection::write(std::uint64_t exchange, Frame frame) {
    const std::lock_guard lock(mutex_);
    if (exchange != exchange_ || !stream_open_ || finished_ || cut_) return false;
    if (!frame || frame->empty()) return true;  // an empty chunk would end the stream
    if (queued_bytes_ > 0 && queued_bytes_ + frame->size() > shared_.options.stream_cap_bytes) {
        cut_ = true;
        shared_.streams_cut.add();
        wake(loop_, shared_from_this(), woken_);
        return false;
    }
    queued_bytes_ += frame->size();
    frames_.push_back(std::move(frame));
    wake(loop_, shared_from_this(), woken_);
    return true;
}

void Connection::finish(std::uint64_t exchange) {
    std::function<void()> dropped;
    const std::lock_guard lock(mutex_);
    if (exchange != exchange_ || !stream_open_ || finished_) return;
    finished_ = true;
    dropped = std::move(on_closed_);
    on_closed_ = nullptr;
    wake(loop_, shared_from_this(), woken_);
}

void Connection::abandon(std::uint64_t exchange) {
    const std::lock_guard lock(mutex_);
    if (exchange != exchange_) return;
    if (!answered_) {
        answered_ = true;
        answer_ = std::make_unique<Answer>(
            Answer{500,
                   {{"Content-Type", "application/json"}},
                   error_body(500, "the server gave no answer to this request; this is a defect")});
    } else if (stream_open_ && !finished_) {
        cut_ = true;
    } else {
        return;
    }
    wake(loop_, shared_from_this(), woken_);
}

void Connection::on_closed(std::uint64_t exchange, std::function<void()> call) {
    {
        const std::lock_guard lock(mutex_);
        if (exchange == exchange_ && !finished_) {
            on_closed_ = std::move(call);
            return;
        }
        if (exchange == exchange_) return;  // finished: not any more
    }
    call();
}

}  // namespace atelier::apiserver
