// The side of a Connection that any thread may use: the answer to the request under way.
//
// The functions of any thread hold mutex_ while they touch loop_ or shared_: close() needs mutex_
// too, so neither can be gone as long as exchange_ names a running exchange.
#include "apiserver/http/connection.h"
#include "apiserver/http/message.h"

namespace atelier::apiserver {
namespace {

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
    std::size_t queued() const override { return connection_->queued(exchange_); }
    void finish() override { connection_->finish(exchange_); }
    void on_closed(std::function<void()> call) override {
        connection_->on_closed(exchange_, std::move(call));
    }

  private:
    const std::shared_ptr<Connection> connection_;
    const std::uint64_t exchange_;
};

void wake(Loop& loop, const std::shared_ptr<Connection>& connection, bool& woken) {
    if (woken) return;
    woken = true;
    loop.wake(connection);
}

}  // namespace

std::shared_ptr<ResponseSink> make_sink(std::shared_ptr<Connection> connection,
                                        std::uint64_t exchange) {
    return std::make_shared<Sink>(std::move(connection), exchange);
}

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
    if (queued_bytes_ > shared_.options.stream_cap_bytes) {
        cut_ = true;
        shared_.streams_cut.add();
        wake(loop_, shared_from_this(), woken_);
        return false;
    }
    queued_bytes_ += frame->size();
    shared_.queued_bytes.add(static_cast<double>(frame->size()));
    frames_.push_back(std::move(frame));
    wake(loop_, shared_from_this(), woken_);
    return true;
}

std::size_t Connection::queued(std::uint64_t exchange) {
    const std::lock_guard lock(mutex_);
    return exchange == exchange_ && stream_open_ ? queued_bytes_ : 0;
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
