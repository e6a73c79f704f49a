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
#include "drivers/git/pkt_line.h"
#include "drivers/git/ref.h"

namespace atelier::drivers::git_protocol {

// What GET info/refs says.
struct Advertisement {
    int version = 0;
    bool shallow = false;     // a fetch may ask for one commit without its history
    bool any_commit = false;  // a fetch may ask for a commit that is no tip
    bool side_band = false;
    bool object_format = false;  // a command may name the object format; others refuse that
    std::vector<GitRef> refs;    // version 0 only
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

// Both name only capabilities that the server advertised: it ends the connection at any other.
std::string ls_refs_request(const Advertisement& server);
// The objects of `wants`: of these commits alone where `shallow`, with all their history else.
std::string fetch_request(const Advertisement& server, const std::vector<std::string>& wants,
                          bool shallow);

}  // namespace atelier::drivers::git_protocol
