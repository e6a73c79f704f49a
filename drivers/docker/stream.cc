#include "drivers/docker/stream.h"

#include <algorithm>
#include <utility>

namespace atelier::drivers {

namespace {

constexpr std::size_t most_line = std::size_t{1} << 20;

}  // namespace

void DockerStream::feed(std::string_view bytes) {
    while (!bytes.empty()) {
        if (left_ == 0) {
            header_[header_size_++] = static_cast<unsigned char>(bytes.front());
            bytes.remove_prefix(1);
            if (header_size_ < header_.size()) continue;
            header_size_ = 0;
            for (std::size_t i = 4; i < 8; ++i) left_ = left_ << 8 | header_[i];
            continue;
        }
        const std::size_t size = std::min(left_, bytes.size());
        append(header_[0] == 2 && keep_ == Keep::oldest ? err : out, bytes.substr(0, size));
        left_ -= size;
        bytes.remove_prefix(size);
    }
}

void DockerStream::append(std::string& stream, std::string_view bytes) {
    if (keep_ == Keep::oldest) {
        const std::size_t kept = std::min(bytes.size(), most_ - stream.size());
        stream.append(bytes.substr(0, kept));
        truncated = truncated || kept < bytes.size();
        return;
    }
    stream.append(bytes);
    // Not at each piece: that would copy all of it each time.
    if (stream.size() >= 2 * most_) stream = take_out();
}

std::string DockerStream::take_out() {
    if (out.size() <= most_) return std::move(out);
    truncated = true;
    return out.substr(out.size() - most_);
}

void LineStream::feed(std::string_view bytes) {
    while (!bytes.empty()) {
        const std::size_t end = bytes.find('\n');
        const std::string_view part = bytes.substr(0, end);
        dropping_ = dropping_ || pending_.size() + part.size() > most_line;
        if (dropping_) {
            pending_.clear();
        } else {
            pending_ += part;
        }
        if (end == std::string_view::npos) return;
        bytes.remove_prefix(end + 1);
        const std::string line = std::exchange(pending_, {});
        if (!std::exchange(dropping_, false) && !line.empty()) take_(line);
    }
}

}  // namespace atelier::drivers
