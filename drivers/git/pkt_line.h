// Git's packets on the wire: four hexadecimal digits of length, then the payload.
// https://git-scm.com/docs/protocol-common#_pkt_line_format
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace atelier::drivers::git_protocol {

// One pkt-line. `delimiter` and `end` exist in version 2 only.
struct Packet {
    enum class Kind { data, flush, delimiter, end };
    Kind kind = Kind::data;
    std::string_view payload;       // valid during the call
    std::string_view line() const;  // the payload without its line end
};

// Cuts a stream into packets.
class PacketReader {
  public:
    using Handler = std::function<Result<void>(const Packet&)>;
    explicit PacketReader(Handler handler) : handler_(std::move(handler)) {}
    Result<void> feed(std::string_view bytes);
    Result<void> finish() const;  // an error if the stream ended inside a packet

  private:
    Handler handler_;
    std::string rest_;  // the beginning of a packet that is not complete
};

// A packet with this payload, at most 65516 bytes.
std::string packet(std::string_view line);
// The Error for an answer of a wrong form. `detail` is for the log.
Error not_git(std::string_view detail);

}  // namespace atelier::drivers::git_protocol
