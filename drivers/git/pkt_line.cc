#include "drivers/git/pkt_line.h"

#include <fmt/format.h>

#include <charconv>

namespace atelier::drivers::git_protocol {
namespace {

constexpr std::size_t longest_packet = 65520;

}  // namespace

Error not_git(std::string_view detail) {
    return {Code::unavailable, "the server's answer is not git's protocol", std::string(detail)};
}

std::string packet(std::string_view line) {
    return fmt::format("{:04x}{}", line.size() + 4, line);
}

std::string_view Packet::line() const {
    return payload.ends_with('\n') ? payload.substr(0, payload.size() - 1) : payload;
}

Result<void> PacketReader::feed(std::string_view bytes) {
    std::string joined;
    if (!rest_.empty()) {
        joined = std::move(rest_);
        joined += bytes;
        bytes = joined;
        rest_.clear();
    }
    while (bytes.size() >= 4) {
        unsigned length = 0;
        const auto [end, error] = std::from_chars(bytes.data(), bytes.data() + 4, length, 16);
        if (error != std::errc() || end != bytes.data() + 4 || length == 3 ||
            length > longest_packet) {
            return not_git("a packet of a wrong length");
        }
        if (length < 4) {
            constexpr Packet::Kind kinds[] = {Packet::Kind::flush, Packet::Kind::delimiter,
                                              Packet::Kind::end};
            TRY(handler_({kinds[length], {}}));
            bytes.remove_prefix(4);
            continue;
        }
        if (bytes.size() < length) break;
        TRY(handler_({Packet::Kind::data, bytes.substr(4, length - 4)}));
        bytes.remove_prefix(length);
    }
    rest_ = std::string(bytes);
    return {};
}

Result<void> PacketReader::finish() const {
    if (!rest_.empty()) return not_git("the answer ended inside a packet");
    return {};
}

}  // namespace atelier::drivers::git_protocol
