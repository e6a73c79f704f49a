// The objects of one remote, in a bare repository of the server: nothing in it is ever checked out
// or run.
//
//     objects/…         packs, as they were fetched
//     complete/<commit>  written last: everything of that commit is here
//     absent/<commit>    the commit was in nothing that these tips lead to: their digest
//     used               its time is that of the last use
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "drivers/git/git.h"
#include "drivers/trees/tree.h"

namespace atelier::drivers {

// Sets libgit2 up; must exist while any GitCache does. Its settings are those of the process: no
// configuration file of the machine is read, objects that are, or by a delta become, larger than
// `most_bytes` are refused.
class GitLibrary {
  public:
    explicit GitLibrary(std::int64_t most_bytes);
    ~GitLibrary();
    GitLibrary(const GitLibrary&) = delete;
    GitLibrary& operator=(const GitLibrary&) = delete;
};

// Writes a pack into a cache. When it is destroyed before commit(), nothing of the pack stays.
class PackWriter {
  public:
    struct State;
    explicit PackWriter(std::unique_ptr<State> state);
    ~PackWriter();
    PackWriter(PackWriter&&) noexcept;
    Result<void> append(std::string_view bytes);
    Result<void> commit();

  private:
    std::unique_ptr<State> state_;
};

// Used by one thread at a time for what changes it; reading may go on in several, each with its own
// GitCache object. Code::internal means that what is on disk is damaged.
class GitCache {
  public:
    explicit GitCache(std::filesystem::path directory) : directory_(std::move(directory)) {}

    bool is_complete(const std::string& commit) const;
    std::size_t complete_commits() const;
    // An empty, usable cache where there is none, or a damaged one.
    Result<void> prepare();
    Result<void> clear();
    // `expired` is called now and then while a pack is read; true ends that with Code::timeout.
    Result<PackWriter> receive(std::function<bool()> expired);
    // Success when the commit and its top tree are in the cache, else not_found.
    Result<void> check_commit(const std::string& commit);
    Result<void> mark_complete(const std::string& commit);
    // Whether the commit was searched for, in vain, in the history of the tips with this digest.
    bool is_absent(const std::string& commit, const std::string& tips) const;
    // At most 1,000 of them are kept.
    Result<void> mark_absent(const std::string& commit, const std::string& tips);
    std::int64_t bytes() const;  // of its packs, on disk
    // When that cannot be written, the cache only seems to be unused for longer.
    void note_use(Instant now) const;

    struct Content {
        Tree tree;
        GitGaps gaps;
    };
    // not_found: the commit has no such folder. too_large: over the limits.
    Result<Content> read(const std::string& commit, const std::string& path,
                         const GitLimits& limits) const;
    Result<GitAuthor> author(const std::string& commit) const;

  private:
    std::filesystem::path directory_;
};

struct UsedCache {
    std::string name;
    Instant last_used;
    std::int64_t bytes = 0;
};
// The caches in a folder. One without a time of its use was last used at the time of its folder.
std::vector<UsedCache> used_caches(const std::filesystem::path& directory);
// Those that are over `limits`, the longest unused first. Pure.
std::vector<std::string> caches_to_remove(std::vector<UsedCache> caches, const GitLimits& limits,
                                          Instant now);

}  // namespace atelier::drivers
