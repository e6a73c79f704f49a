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
        std::string& stream = header_[0] == 2 && !merged_ ? err : out;
        const std::size_t size = std::min(left_, bytes.size());
        const std::size_t kept = std::min(size, most_ - stream.size());
        stream.append(bytes.substr(0, kept));
        truncated = truncated || kept < size;
        left_ -= size;
        bytes.remove_prefix(size);
    }
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
