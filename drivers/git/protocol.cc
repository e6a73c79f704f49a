#include "drivers/git/protocol.h"

#include <fmt/format.h>

#include "base/hex.h"
#include "base/text.h"

namespace atelier::drivers::git_protocol {
namespace {

constexpr std::size_t most_refs = 200'000;

// What the server says about why it refuses. Its text goes to the log only.
Error refused(std::string_view text) {
    const bool missing = text.find("not our ref") != std::string_view::npos ||
                         text.find("not found") != std::string_view::npos;
    return {
        missing ? Code::not_found : Code::unavailable,
        missing ? "the server has no such commit or repository" : "the server refused the request",
        std::string(text.substr(0, 500))};
}

constexpr std::string_view flush = "0000";
constexpr std::string_view delimiter = "0001";
constexpr std::string_view agent = "agent=atelier";

}  // namespace

Result<void> RefList::add(std::string_view name, std::string_view commit) {
    if (!is_full_commit(commit)) return not_git("an object id of a wrong form");
    constexpr std::string_view peeled = "^{}";
    if (name.ends_with(peeled)) {
        name.remove_suffix(peeled.size());
        // A peeled value follows its tag directly.
        if (!refs_.empty() && refs_.back().name == name) refs_.back().commit = commit;
        return {};
    }
    if (name != "HEAD" && !name.starts_with("refs/heads/") && !name.starts_with("refs/tags/")) {
        return {};
    }
    if (refs_.size() >= most_refs) {
        return Error{Code::too_large, "the repository has more than 200,000 refs"};
    }
    refs_.push_back({std::string(name), std::string(commit)});
    return {};
}

Result<void> AdvertisementReader::on(const Packet& packet) {
    if (state_ == State::done) return not_git("more after the advertisement");
    if (packet.kind == Packet::Kind::flush) {
        state_ = state_ == State::service ? State::start : State::done;
        return {};
    }
    if (packet.kind != Packet::Kind::data) return not_git("a delimiter in the advertisement");
    const std::string_view line = packet.line();
    if (line.starts_with("ERR ")) return refused(line.substr(4));
    if (state_ == State::start && line.starts_with("# service=")) {
        state_ = State::service;
        return {};
    }
    if (state_ == State::service) return not_git("no end after the service");
    if (state_ == State::start) {
        state_ = State::body;
        if (line == "version 2") {
            out_.version = 2;
            out_.any_commit = true;
            out_.side_band = true;
            return {};
        }
        if (line == "version 1") return {};
    }
    return out_.version == 2 ? on_capability(line) : on_version_0(line);
}

Result<void> AdvertisementReader::on_capability(std::string_view capability) {
    if (capability.starts_with("object-format=") && capability != "object-format=sha1") {
        return Error{Code::unsupported, "the repository uses another object format than SHA-1"};
    }
    if (capability == "object-format=sha1") out_.object_format = true;
    if (out_.version == 2) {
        if (!capability.starts_with("fetch=")) return {};
        for (const std::string& feature : split(capability.substr(6), ' ')) {
            if (feature == "shallow") out_.shallow = true;
        }
        return {};
    }
    if (capability == "shallow") out_.shallow = true;
    if (capability == "side-band-64k") out_.side_band = true;
    if (capability == "allow-tip-sha1-in-want" || capability == "allow-reachable-sha1-in-want") {
        // Tip alone is not enough for a commit that nothing points to any more; the server says so.
        out_.any_commit = out_.any_commit || capability == "allow-reachable-sha1-in-want";
    }
    return {};
}

Result<void> AdvertisementReader::on_version_0(std::string_view line) {
    if (first_ref_) {
        first_ref_ = false;
        const std::size_t nul = line.find('\0');
        if (nul != std::string_view::npos) {
            for (const std::string& capability : split(line.substr(nul + 1), ' ')) {
                TRY(on_capability(capability));
            }
            line = line.substr(0, nul);
        }
    }
    if (line.starts_with("shallow ")) return {};
    const std::size_t space = line.find(' ');
    if (space == std::string_view::npos) return not_git("a line without a ref");
    const std::string_view name = line.substr(space + 1);
    if (name == "capabilities^{}") return {};  // an empty repository
    return refs_.add(name, line.substr(0, space));
}

Result<Advertisement> AdvertisementReader::finish() {
    if (state_ != State::done) return not_git("the advertisement has no end");
    out_.refs = refs_.take();
    return std::move(out_);
}

Result<void> RefsReader::on(const Packet& packet) {
    if (packet.kind == Packet::Kind::flush) {
        done_ = true;
        return {};
    }
    if (packet.kind == Packet::Kind::end) return {};
    if (packet.kind != Packet::Kind::data || done_)
        return not_git("a list of refs of a wrong form");
    std::string_view line = packet.line();
    if (line.starts_with("ERR ")) return refused(line.substr(4));
    const std::size_t space = line.find(' ');
    if (space == std::string_view::npos) return not_git("a line without a ref");
    std::string_view commit = line.substr(0, space);
    std::string_view rest = line.substr(space + 1);
    if (commit == "unborn") return {};
    const std::string_view name = rest.substr(0, rest.find(' '));
    constexpr std::string_view peeled = " peeled:";
    if (const std::size_t at = rest.find(peeled); at != std::string_view::npos) {
        commit = rest.substr(at + peeled.size());
        commit = commit.substr(0, commit.find(' '));
    }
    return refs_.add(name, commit);
}

Result<std::vector<GitRef>> RefsReader::finish() {
    if (!done_) return not_git("the list of refs has no end");
    return refs_.take();
}

Result<void> PackReader::on(const Packet& packet) {
    if (state_ == State::done) {
        if (packet.kind == Packet::Kind::end) return {};
        return not_git("more after the pack");
    }
    if (state_ == State::before) {
        if (packet.kind != Packet::Kind::data) return {};
        const std::string_view line = packet.line();
        if (line.starts_with("ERR ")) return refused(line.substr(4));
        if (line == "packfile" || line == "NAK" || line.starts_with("ACK ")) state_ = State::pack;
        return {};
    }
    if (packet.kind == Packet::Kind::flush) {
        state_ = State::done;
        return {};
    }
    if (packet.kind != Packet::Kind::data || packet.payload.empty()) {
        return not_git("a pack of a wrong form");
    }
    const std::string_view bytes = packet.payload.substr(1);
    switch (packet.payload.front()) {
        case 1:
            return sink_(bytes);
        case 2:
            return {};  // progress, for people
        case 3:
            return refused(bytes);
        default:
            break;
    }
    if (packet.payload.starts_with("ERR ")) return refused(packet.line().substr(4));
    return not_git("a side band that does not exist");
}

Result<void> PackReader::finish() const {
    if (state_ != State::done) return not_git("the pack has no end");
    return {};
}

std::string ls_refs_request(const Advertisement& server) {
    std::string body = packet("command=ls-refs\n");
    body += packet(agent);
    if (server.object_format) body += packet("object-format=sha1");
    body += delimiter;
    body += packet("peel\n");
    for (const char* prefix : {"HEAD", "refs/heads/", "refs/tags/"}) {
        body += packet(fmt::format("ref-prefix {}\n", prefix));
    }
    body += flush;
    return body;
}

std::string fetch_request(const Advertisement& server, const std::vector<std::string>& wants,
                          bool shallow) {
    std::string body;
    if (server.version == 2) {
        body += packet("command=fetch");
        body += packet(agent);
        if (server.object_format) body += packet("object-format=sha1");
        body += delimiter;
        body += packet("ofs-delta");
        body += packet("no-progress");
        if (shallow) body += packet("deepen 1");
        for (const std::string& want : wants) body += packet("want " + want + "\n");
        body += packet("done\n");
        body += flush;
        return body;
    }
    std::string capabilities = fmt::format(" side-band-64k ofs-delta no-progress {}", agent);
    for (const std::string& want : wants) {
        body += packet("want " + want + capabilities + "\n");
        capabilities.clear();
    }
    if (shallow) body += packet("deepen 1");
    body += flush;
    body += packet("done\n");
    return body;
}

}  // namespace atelier::drivers::git_protocol
