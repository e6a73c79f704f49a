// How a Connection writes: heads, bodies, and the frames of streams.
#include <cstdio>

#include "apiserver/http/connection.h"
#include "apiserver/http/message.h"

namespace atelier::apiserver {
namespace {

// Buffers of one gathered write; the head and the chunk's two lines are among them.
constexpr std::size_t most_frames = 60;

bool may_have_body(int status) {
    return status >= 200 && status != 204 && status != 304;
}

}  // namespace

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
    shared_.queued_bytes.add(-static_cast<double>(batch_bytes_));
    batch_bytes_ = 0;
    if (!last_chunk_sent_) return send_frames();
    shared_.streams.add(-1);
    end_exchange();
}

}  // namespace atelier::apiserver
