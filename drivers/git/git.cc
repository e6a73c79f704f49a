#include "drivers/git/git.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <shared_mutex>

#include "base/digest.h"
#include "base/file.h"
#include "base/text.h"
#include "drivers/git/cache.h"
#include "drivers/git/http.h"
#include "drivers/git/protocol.h"

namespace atelier::drivers {
namespace {

namespace fs = std::filesystem;
using git_protocol::Advertisement;

constexpr std::int64_t most_bytes_of_refs = 64 << 20;
// A remote's cache is begun anew when it holds so many commits: each is a pack of its own.
constexpr std::size_t most_commits = 64;
constexpr Duration glance = std::chrono::milliseconds(200);

constexpr const char* advertisement_type = "application/x-git-upload-pack-advertisement";
constexpr const char* result_type = "application/x-git-upload-pack-result";

// libcurl as a whole.
class Curl {
  public:
    Curl() { CHECK(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK); }
    ~Curl() { curl_global_cleanup(); }
    Curl(const Curl&) = delete;
    Curl& operator=(const Curl&) = delete;
};

// Sends a request and reads its answer as packets with `reader`.
template <class Reader>
Result<void> ask(GitHttp& http, const GitRequest& request, Reader& reader) {
    git_protocol::PacketReader packets(
        [&](const git_protocol::Packet& packet) { return reader.on(packet); });
    TRY(http.send(request, [&](std::string_view bytes) { return packets.feed(bytes); }));
    return packets.finish();
}

Result<Advertisement> advertisement(GitHttp& http) {
    git_protocol::AdvertisementReader reader;
    TRY(ask(http,
            {"/info/refs?service=git-upload-pack", "", advertisement_type, most_bytes_of_refs},
            reader));
    return reader.finish();
}

Result<std::vector<GitRef>> list_refs(GitHttp& http, Advertisement& advertised) {
    if (advertised.version != 2) return std::move(advertised.refs);
    git_protocol::RefsReader reader;
    TRY(ask(http,
            {"/git-upload-pack", git_protocol::ls_refs_request(), result_type, most_bytes_of_refs},
            reader));
    return reader.finish();
}

class HttpGit final : public Git {
  public:
    HttpGit(fs::path directory, GitOptions options, const Clock& clock, Log log)
        : directory_(std::move(directory)),
          options_(std::move(options)),
          clock_(clock),
          log_(std::move(log)),
          gate_(options_.gate, clock_),
          library_(options_.limits.bytes) {}

    Result<std::vector<GitRef>> refs(const GitRemote& remote) override {
        TRY(check_remote_url(remote.url));
        auto pass = gate_.enter(origin_of(remote));
        if (!pass) return not_now(remote);
        GitHttp http(remote, options_, clock_, *pass);
        auto advertised = advertisement(http);
        if (!advertised) return about(remote, advertised.error());
        auto refs = list_refs(http, *advertised);
        if (!refs) return about(remote, refs.error());
        return refs;
    }

    Result<TreePtr> fetch(const GitRemote& remote, const std::string& commit,
                          const std::string& path) override {
        TRY(check_remote_url(remote.url));
        const std::string id = lower(commit);
        if (id.size() != 40 || id.find_first_not_of("0123456789abcdef") != std::string::npos) {
            return Error{Code::invalid, "a commit is 40 hexadecimal digits"};
        }
        const std::string folder = path.substr(0, path.find_last_not_of('/') + 1);
        if (!folder.empty()) TRY(check_tree_path(folder));

        const std::string name = cache_of(remote);
        const std::shared_ptr<std::shared_timed_mutex> lock = lock_of(name);
        GitCache cache(directory_ / name);
        auto pass = gate_.enter(origin_of(remote));
        {
            const auto reading = wait_for<std::shared_lock<std::shared_timed_mutex>>(*lock, pass);
            if (!reading) return busy(remote);
            if (cache.is_complete(id)) {
                auto tree = read(cache, remote, id, folder);
                if (tree) return tree;
                if (tree.error().code != Code::internal) return about(remote, tree.error());
                log_.error("a git cache is damaged and is fetched again", tree.error());
            }
        }
        if (!pass) return not_now(remote);
        const auto writing = wait_for<std::unique_lock<std::shared_timed_mutex>>(*lock, pass);
        if (!writing) return busy(remote);
        auto tree = fetch_locked(cache, remote, id, folder, *pass);
        if (!tree) return about(remote, tree.error());
        return tree;
    }

    Result<GitAuthor> author(const GitRemote& remote, const std::string& commit) override {
        const std::string name = cache_of(remote);
        const std::shared_ptr<std::shared_timed_mutex> lock = lock_of(name);
        const auto pass = gate_.enter(origin_of(remote));
        const auto reading = wait_for<std::shared_lock<std::shared_timed_mutex>>(*lock, pass);
        if (!reading) return busy(remote);
        const GitCache cache(directory_ / name);
        const std::string id = lower(commit);
        if (!cache.is_complete(id)) {
            return Error{Code::not_found,
                         fmt::format("git {}: the commit {} is not here", remote.url, id)};
        }
        return cache.author(id);
    }

  private:
    // What was fetched with one credential must not be had without it.
    static std::string cache_of(const GitRemote& remote) {
        Sha256 key;
        key.update(remote.url);
        if (remote.credential) {
            key.update("\n").update(remote.credential->username).update("\n");
            key.update(remote.credential->secret);
        }
        return key.hex().substr(0, 32);
    }

    Result<TreePtr> fetch_locked(GitCache& cache, const GitRemote& remote,
                                 const std::string& commit, const std::string& folder,
                                 GitGate::Pass& pass) {
        if (cache.is_complete(commit)) {  // by another thread, meanwhile
            auto tree = read(cache, remote, commit, folder);
            if (tree || tree.error().code != Code::internal) return tree;
            TRY(cache.clear());
        }
        if (cache.complete_commits() >= most_commits) TRY(cache.clear());
        TRY(cache.prepare());
        GitHttp http(remote, options_, clock_, pass);
        const auto received = receive(cache, http, commit);
        if (!received) return received.error();
        TRY(cache.mark_complete(commit));
        return read(cache, remote, commit, folder);
    }

    // Gets the commit alone where the server can do that, else everything that leads to it.
    Result<void> receive(GitCache& cache, GitHttp& http, const std::string& commit) {
        auto advertised = TRY(advertisement(http));
        if (!advertised.side_band) {
            return Error{Code::unsupported, "the git server is too old: it has no side bands"};
        }
        const bool is_tip = std::any_of(advertised.refs.begin(), advertised.refs.end(),
                                        [&](const GitRef& ref) { return ref.commit == commit; });
        if (is_tip || advertised.any_commit) {
            const auto alone = receive_pack(cache, http, advertised, {commit}, advertised.shallow);
            if (alone) return cache.check_commit(commit);
            if (alone.error().code != Code::not_found) return alone.error();
        }
        const std::vector<GitRef> refs = TRY(list_refs(http, advertised));
        std::vector<std::string> tips;
        for (const GitRef& ref : refs) tips.push_back(ref.commit);
        std::sort(tips.begin(), tips.end());
        tips.erase(std::unique(tips.begin(), tips.end()), tips.end());
        if (tips.empty()) return Error{Code::not_found, "the repository is empty"};
        TRY(receive_pack(cache, http, advertised, tips, false));
        return cache.check_commit(commit);
    }

    Result<void> receive_pack(GitCache& cache, GitHttp& http, const Advertisement& advertised,
                              const std::vector<std::string>& wants, bool shallow) {
        PackWriter writer =
            TRY(cache.receive([&http] { return http.remaining() == Duration::zero(); }));
        git_protocol::PackReader reader(
            [&](std::string_view bytes) { return writer.append(bytes); });
        TRY(ask(
            http,
            {"/git-upload-pack", git_protocol::fetch_request(advertised.version, wants, shallow),
             result_type, options_.limits.bytes},
            reader));
        TRY(reader.finish());
        return writer.commit();
    }

    Result<TreePtr> read(const GitCache& cache, const GitRemote& remote, const std::string& commit,
                         const std::string& folder) {
        auto content = TRY(cache.read(commit, folder, options_.limits));
        if (!content.submodules.empty()) {
            log_.warning("submodules are left out of a git tree",
                         {{"url", remote.url},
                          {"commit", commit},
                          {"first", content.submodules.front()},
                          {"count", std::to_string(content.submodules.size())}});
        }
        return TreePtr(std::make_shared<const Tree>(std::move(content.tree)));
    }

    // Empty-handed when the deadline is over, or when too many wait and this one is to give up.
    template <class Lock>
    Lock wait_for(std::shared_timed_mutex& mutex, const std::optional<GitGate::Pass>& pass) const {
        Lock lock(mutex, std::defer_lock);
        const Instant deadline = clock_.now() + options_.limits.deadline;
        while (!lock.try_lock_for(glance) && clock_.now() < deadline) {
            if (pass ? pass->must_give_up() : true) break;
        }
        return lock;
    }

    static std::string origin_of(const GitRemote& remote) {
        const std::size_t scheme = remote.url.find("://");
        return remote.url.substr(
            0, remote.url.find('/', scheme == std::string::npos ? 0 : scheme + 3));
    }

    std::shared_ptr<std::shared_timed_mutex> lock_of(const std::string& name) {
        const std::lock_guard guard(mutex_);
        auto& lock = locks_[name];
        if (!lock) lock = std::make_shared<std::shared_timed_mutex>();
        return lock;
    }

    // The error with the remote's URL in front, unless it is there already.
    static Error about(const GitRemote& remote, const Error& error) {
        if (error.message.starts_with("git http")) return error;
        return error.in("git " + remote.url);
    }

    static Error busy(const GitRemote& remote) {
        return {Code::timeout,
                fmt::format("git {}: another fetch of it is still at work", remote.url)};
    }

    static Error not_now(const GitRemote& remote) {
        return {
            Code::timeout,
            fmt::format("git {}: its server did not answer lately, nor do others now; it is asked "
                        "again later",
                        remote.url)};
    }

    const fs::path directory_;
    const GitOptions options_;
    const Clock& clock_;
    const Log log_;
    GitGate gate_;
    const Curl curl_;
    const GitLibrary library_;

    std::mutex mutex_;
    // By cache. Shared: reading; exclusive: fetching into it or clearing it.
    std::map<std::string, std::shared_ptr<std::shared_timed_mutex>> locks_;
};

}  // namespace

Result<std::unique_ptr<Git>> open_git(const std::filesystem::path& directory,
                                      const GitOptions& options, const Clock& clock, Log log) {
    TRY(make_directories(directory, 0700));
    return std::unique_ptr<Git>(
        std::make_unique<HttpGit>(directory, options, clock, std::move(log)));
}

}  // namespace atelier::drivers
