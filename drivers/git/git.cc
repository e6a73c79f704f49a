#include "drivers/git/git.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <mutex>
#include <shared_mutex>

#include "base/digest.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/text.h"
#include "drivers/git/cache.h"
#include "drivers/git/http.h"
#include "drivers/git/protocol.h"

namespace atelier::drivers {
namespace {

namespace fs = std::filesystem;
using git_protocol::Advertisement;

constexpr std::int64_t most_bytes_of_refs = 64 << 20;
// A remote's cache is emptied when it holds so many commits: each is a pack of its own.
constexpr std::size_t most_commits = 64;
constexpr Duration glance = std::chrono::milliseconds(200);

constexpr const char* advertisement_type = "application/x-git-upload-pack-advertisement";
constexpr const char* result_type = "application/x-git-upload-pack-result";

// Sets libcurl up, and takes it down.
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
            {"/git-upload-pack", git_protocol::ls_refs_request(advertised), result_type,
             most_bytes_of_refs},
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
        if (!is_full_commit(id)) {
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
                cache.note_use(clock_.now());
                if (tree) return tree;
                if (tree.error().code != Code::internal) return about(remote, tree.error());
                log_.error("a git cache is damaged and is fetched again", tree.error());
            }
        }
        if (!pass) return not_now(remote);
        Result<TreePtr> tree = TreePtr();
        {
            const auto writing = wait_for<std::unique_lock<std::shared_timed_mutex>>(*lock, pass);
            if (!writing) return busy(remote);
            tree = fetch_locked(cache, remote, id, folder, *pass);
        }
        collect(name);
        if (!tree) return about(remote, tree.error());
        return tree;
    }

    Result<GitAuthor> author(const GitRemote& remote, const std::string& commit) override {
        return from_cache<GitAuthor>(
            remote, commit,
            [](const GitCache& cache, const std::string& id) { return cache.author(id); });
    }

    Result<GitGaps> gaps(const GitRemote& remote, const std::string& commit,
                         const std::string& path) override {
        const std::string folder = path.substr(0, path.find_last_not_of('/') + 1);
        return from_cache<GitGaps>(
            remote, commit, [&](const GitCache& cache, const std::string& id) -> Result<GitGaps> {
                return TRY(cache.read(id, folder, options_.limits)).gaps;
            });
    }

  private:
    // Reads what the cache has of a commit. Asks no server: not_found when it was not fetched.
    template <class T>
    Result<T> from_cache(
        const GitRemote& remote, const std::string& commit,
        const std::function<Result<T>(const GitCache&, const std::string&)>& read) {
        const std::string name = cache_of(remote);
        const std::shared_ptr<std::shared_timed_mutex> lock = lock_of(name);
        const auto pass = gate_.enter(origin_of(remote));
        const auto reading = wait_for<std::shared_lock<std::shared_timed_mutex>>(*lock, pass);
        if (!reading) return busy(remote);
        const GitCache cache(directory_ / name);
        const std::string id = lower(commit);
        if (cache.is_complete(id)) return read(cache, id);
        return Error{Code::not_found,
                     fmt::format("git {}: the commit {} is not in the cache", remote.url, id)};
    }

    // The name of a remote's cache. The credential is part of it: what was fetched with one must
    // not be given to a caller without it.
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
        if (cache.complete_commits() >= most_commits ||
            cache.bytes() > options_.limits.cache_bytes) {
            TRY(cache.clear());
        }
        TRY(cache.prepare());
        GitHttp http(remote, options_, clock_, pass);
        cache.note_use(clock_.now());
        const auto received = receive(cache, http, commit);
        if (!received) return received.error();
        TRY(cache.mark_complete(commit));
        return read(cache, remote, commit, folder);
    }

    // Removes caches that were not used for long, and the longest unused ones while all together
    // are too large. A cache that another thread reads or fetches into stays.
    void collect(const std::string& current) {
        const Instant now = clock_.now();
        for (const std::string& name :
             caches_to_remove(used_caches(directory_), options_.limits, now)) {
            if (name == current) continue;
            const std::shared_ptr<std::shared_timed_mutex> lock = lock_of(name);
            const std::unique_lock writing(*lock, std::try_to_lock);
            if (!writing) continue;
            if (const auto cleared = GitCache(directory_ / name).clear(); !cleared) {
                log_.error("a git cache that is no longer used cannot be removed", cleared.error());
            }
        }
    }

    // Fetches the commit alone where the server can do that, else the history of all refs.
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
            // git's own server gives any object that it has in version 2, reachable or not
            // (upload-pack.c): a commit that is gone is not worth the history of all others.
            const bool definite = alone.error().detail.find("not our ref") != std::string::npos;
            if (advertised.version == 2 && definite) return no_such_commit(commit);
        }
        const std::vector<GitRef> refs = TRY(list_refs(http, advertised));
        std::vector<std::string> tips;
        for (const GitRef& ref : refs) tips.push_back(ref.commit);
        std::sort(tips.begin(), tips.end());
        tips.erase(std::unique(tips.begin(), tips.end()), tips.end());
        if (tips.empty()) return Error{Code::not_found, "the repository is empty"};
        // All history was searched for it before, and the repository has not moved since.
        const std::string searched = sha256_hex(join(tips, "\n"));
        if (cache.is_absent(commit, searched)) return no_such_commit(commit);
        TRY(receive_pack(cache, http, advertised, tips, false));
        const auto found = cache.check_commit(commit);
        if (!found && found.error().code == Code::not_found) {
            TRY(cache.mark_absent(commit, searched));
        }
        return found;
    }

    static Error no_such_commit(const std::string& commit) {
        return {Code::not_found, fmt::format("the repository has no commit {}", commit)};
    }

    Result<void> receive_pack(GitCache& cache, GitHttp& http, const Advertisement& advertised,
                              const std::vector<std::string>& wants, bool shallow) {
        PackWriter writer =
            TRY(cache.receive([&http] { return http.remaining() == Duration::zero(); }));
        git_protocol::PackReader reader(
            [&](std::string_view bytes) { return writer.append(bytes); });
        TRY(ask(http,
                {"/git-upload-pack", git_protocol::fetch_request(advertised, wants, shallow),
                 result_type, options_.limits.bytes},
                reader));
        TRY(reader.finish());
        return writer.commit();
    }

    Result<TreePtr> read(const GitCache& cache, const GitRemote& remote, const std::string& commit,
                         const std::string& folder) {
        auto content = TRY(cache.read(commit, folder, options_.limits));
        const auto warn = [&](const char* message, const std::vector<std::string>& paths) {
            if (paths.empty()) return;
            log_.warning(message, {{"url", remote.url},
                                   {"commit", commit},
                                   {"first", paths.front()},
                                   {"count", std::to_string(paths.size())}});
        };
        warn("submodules are left out of a git tree", content.gaps.submodules);
        warn("files of Git LFS are in a git tree as their pointers", content.gaps.lfs_pointers);
        return TreePtr(std::make_shared<const Tree>(std::move(content.tree)));
    }

    // Returns without the lock at the deadline, or when the gate tells this operation to give up.
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

    // The cause is that of the last operation on the server: to say only that others are waited for
    // would hide it for as long as they are.
    Error not_now(const GitRemote& remote) const {
        const std::string last = gate_.last_failure(origin_of(remote));
        return {Code::timeout,
                fmt::format("git {}: not asked now, because other git servers do not answer and "
                            "this one did not the last time{}{}; it is asked again later",
                            remote.url, last.empty() ? "" : ": ", last)};
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
