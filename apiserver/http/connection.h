// One connection of a client: requests in, answers out. Knows HTTP and deadlines, but no sockets:
// those are in socket.cc, behind the protected virtual functions. Its functions are defined in
// three sources: reading in connection.cc, writing in connection_write.cc, and what other threads
// may call in connection_exchange.cc.
#pragma once

#include <sys/uio.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "apiserver/http/loop.h"
#include "apiserver/http/parser.h"

namespace atelier::apiserver {

// Lives on one Loop: every function is called on the loop's thread, except those under "any
// thread".
class Connection : public std::enable_shared_from_this<Connection> {
  public:
    Connection(Loop& loop, HttpShared& shared, std::string peer);
    virtual ~Connection() = default;
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    void start();
    void drain();
    void cut();
    bool overdue(std::uint64_t tick) const { return deadline_ != 0 && tick >= deadline_; }
    void on_deadline();
    // Sends what other threads have left under mutex_: an answer, frames, or the end.
    void flush();

    // Any thread. `exchange` is the number of the request that the caller answers; calls for one
    // that is over do nothing.
    void reply(std::uint64_t exchange, int status, Headers headers, Frame body);
    void start_stream(std::uint64_t exchange, int status, Headers headers);
    bool write(std::uint64_t exchange, Frame frame);
    std::size_t queued(std::uint64_t exchange);
    void finish(std::uint64_t exchange);
    void abandon(std::uint64_t exchange);
    void on_closed(std::uint64_t exchange, std::function<void()> call);

    std::size_t index = 0;  // for the loop's list

  protected:
    // Each begins one operation, which ends in the on_ function of its name. At most one read and
    // one write are under way.
    virtual void begin_handshake() = 0;
    virtual void begin_read(char* to, std::size_t most) = 0;
    virtual void begin_write(std::span<const iovec> buffers) = 0;
    virtual void half_close() = 0;
    // `reset` drops what the client has not read yet.
    virtual void close_socket(bool reset) = 0;

    void on_handshake(bool good, std::string client_identity);
    // Bytes, 0 when the client has ended its side, -1 when the connection is lost.
    void on_read(std::ptrdiff_t bytes);
    void on_write(std::ptrdiff_t bytes);

  private:
    enum class Phase {
        handshake,
        idle,
        head,
        body,
        handling,
        replying,
        streaming,
        lingering,
        closed
    };
    struct Answer {
        int status = 0;
        Headers headers;
        Frame body;
        bool streamed = false;
    };

    void enter_phase(Phase phase, Duration deadline);  // zero: none
    void read();
    void advance();
    void skip_empty_lines();
    void check_head();
    bool account();
    void dispatch();
    void fail(int status, const std::string& message);
    void send(const Answer& answer);
    void send_frames();
    void queue_out(std::string_view bytes, Frame hold = nullptr);
    void pump();
    void drained();
    void end_exchange();
    void linger();
    void close(bool reset);
    std::string_view buffered() const { return {in_.data() + begin_, end_ - begin_}; }

    Loop& loop_;
    HttpShared& shared_;
    const std::string peer_;
    std::string client_identity_;
    Phase phase_ = Phase::handshake;
    std::uint64_t deadline_ = 0;  // a tick; 0: none

    RequestParser parser_;
    std::vector<char> in_;  // [begin_, end_) is read and not yet parsed
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
    std::size_t discarded_ = 0;
    BudgetShare share_;                // of the bytes that unanswered requests may hold
    std::size_t most_body_bytes_ = 0;  // of the request under way
    bool reading_ = false;
    bool peer_done_ = false;

    std::vector<iovec> out_;  // from out_at_ on: still to be written
    std::size_t out_at_ = 0;
    std::vector<Frame> held_;  // keeps the bytes of out_ alive
    std::string head_;
    char chunk_head_[20] = {};
    std::size_t batch_bytes_ = 0;  // of frames in out_
    bool writing_ = false;

    // Of the exchange under way.
    bool keep_alive_ = true;
    bool http_1_0_ = false;
    bool head_only_ = false;
    bool linger_ = false;
    bool last_chunk_sent_ = false;

    std::mutex mutex_;            // guards what follows
    std::uint64_t exchange_ = 0;  // the one that may be answered; 0: none
    std::uint64_t exchanges_ = 0;
    std::unique_ptr<Answer> answer_;  // given from another thread, not yet sent
    bool answered_ = false;
    bool stream_open_ = false;
    bool finished_ = false;
    bool cut_ = false;
    bool woken_ = false;
    std::deque<Frame> frames_;
    std::size_t queued_bytes_ = 0;  // frames_ and what of them is in out_; counted by the gauge
    std::function<void()> on_closed_;
};

// For the handler: answers that exchange. Dropped without an answer, it answers with 500.
std::shared_ptr<ResponseSink> make_sink(std::shared_ptr<Connection> connection,
                                        std::uint64_t exchange);

}  // namespace atelier::apiserver
