// Git remotes: what their refs are, and the files of one commit. No working copy, no hook, no
// filter, no submodule, no process: objects are read from a bare cache.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/result.h"
#include "drivers/git/gate.h"
#include "drivers/git/ref.h"
#include "drivers/trees/tree.h"

namespace atelier::drivers {

// Sent as an Authorization header to that host alone, never across a redirect, never on disk.
struct GitCredential {
    std::string username;  // with password: Basic; empty: token as "Bearer"
    std::string secret;
    std::string scheme;  // "token" for Gitea's "Authorization: token …"; empty: as above
};

struct GitRemote {
    std::string url;  // http:// or https:// only
    std::optional<GitCredential> credential;
    std::string ca_pem;  // additional trust for this remote
};

struct GitLimits {
    Duration deadline = std::chrono::minutes(5);
    std::int64_t bytes = 100 << 20;  // of the pack, and of the files
    std::int64_t files = 20'000;
    // Of one remote's cache, which is emptied before a fetch when it has more; and of all caches:
    // the longest unused ones are removed while there is more.
    std::int64_t cache_bytes = std::int64_t{1} << 30;
    std::int64_t all_caches_bytes = std::int64_t{4} << 30;
    Duration cache_unused = std::chrono::hours(24 * 30);  // then a cache is removed
};

// What a commit says of itself, each as one_line() makes it; empty where nothing is said.
struct GitAuthor {
    std::string name;
    std::string subject;  // the first line of the message
    bool operator==(const GitAuthor&) const = default;
};

// What the files of a commit lack, by their paths: a tree that has any of these is not whole.
struct GitGaps {
    std::vector<std::string> submodules;  // left out of the tree
    std::vector<std::string>
        lfs_pointers;  // in the tree as the pointer, not as the file it stands for
    bool empty() const { return submodules.empty() && lfs_pointers.empty(); }
};

// Thread-safe; blocking, within the deadline. Errors: not_found (no such repository or ref),
// unauthenticated, timeout, too_large, unavailable, exhausted (our disk), unsupported (the server
// redirects, or does not speak git's smart protocol), invalid (a URL or ref of a wrong form,
// refused before any connection), cancelled (GitOptions::stop). Messages name the URL, which holds
// no credential.
class Git {
  public:
    virtual ~Git() = default;
    virtual Result<std::vector<GitRef>> refs(const GitRemote& remote) = 0;
    // The files of a commit below `path`. A commit once fetched is served from the cache. Symbolic
    // links come as they are and are never followed; submodules are left out, and files of Git LFS
    // come as their pointers: see gaps(), and a warning in the log.
    virtual Result<TreePtr> fetch(const GitRemote& remote, const std::string& commit,
                                  const std::string& path) = 0;
    // Who wrote a commit that was fetched, and what it is about. Asks no server: not_found when the
    // commit is not in the cache.
    virtual Result<GitAuthor> author(const GitRemote& remote, const std::string& commit) = 0;
    // What the tree that fetch() gives for this commit and path lacks. Asks no server: not_found
    // when the commit is not in the cache.
    virtual Result<GitGaps> gaps(const GitRemote& remote, const std::string& commit,
                                 const std::string& path) = 0;
};

struct GitOptions {
    GitLimits limits;
    Duration connect_deadline = std::chrono::seconds(10);
    Duration stall = std::chrono::seconds(30);  // less than 1 byte a second for so long: timeout
    GitGateOptions gate;                        // of operations on servers that do not answer
    std::string proxy;                          // URL; empty: none
    std::stop_token stop;                       // ends what is under way: cancelled
};

// The real one: HTTP by libcurl, git's protocol in protocol.h, objects by libgit2. Caches below
// `directory`, which belongs to one process at a time. The clock outlives it.
Result<std::unique_ptr<Git>> open_git(const std::filesystem::path& directory,
                                      const GitOptions& options, const Clock& clock, Log log);

}  // namespace atelier::drivers
