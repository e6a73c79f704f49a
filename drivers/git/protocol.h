// Git's smart HTTP protocol, as much of it as reading needs: the advertisement, the list of refs
// and one pack without history. Version 2, and version 0 for servers that know no other. Pure:
// bytes in, meaning out; nothing here trusts the server. https://git-scm.com/docs/protocol-v2,
// https://git-scm.com/docs/pack-protocol
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "drivers/git/git.h"

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

// What GET info/refs says.
struct Advertisement {
    int version = 0;
    bool shallow = false;     // a fetch may ask for one commit without its history
    bool any_commit = false;  // a fetch may ask for a commit that is no tip
    bool side_band = false;
    std::vector<GitRef> refs;  // version 0 only
};

// Builds a list of refs from lines in any order; peels tags; keeps HEAD, branches and tags.
class RefList {
  public:
    Result<void> add(std::string_view name, std::string_view commit);
    std::vector<GitRef> take() { return std::move(refs_); }

  private:
    std::vector<GitRef> refs_;
};

class AdvertisementReader {
  public:
    Result<void> on(const Packet& packet);
    Result<Advertisement> finish();

  private:
    Result<void> on_version_0(std::string_view line);
    Result<void> on_capability(std::string_view capability);

    enum class State { start, service, body, done };
    State state_ = State::start;
    bool first_ref_ = true;
    Advertisement out_;
    RefList refs_;
};

// The answer to ls_refs_request().
class RefsReader {
  public:
    Result<void> on(const Packet& packet);
    Result<std::vector<GitRef>> finish();

  private:
    bool done_ = false;
    RefList refs_;
};

// The answer to fetch_request(): hands the bytes of the pack to `sink`.
class PackReader {
  public:
    using Sink = std::function<Result<void>(std::string_view)>;
    explicit PackReader(Sink sink) : sink_(std::move(sink)) {}
    Result<void> on(const Packet& packet);
    Result<void> finish() const;

  private:
    enum class State { before, pack, done };
    State state_ = State::before;
    Sink sink_;
};

std::string ls_refs_request();
// The objects of `wants`: of these commits alone where `shallow`, with all their history else.
std::string fetch_request(int version, const std::vector<std::string>& wants, bool shallow);

}  // namespace atelier::drivers::git_protocol
