// The objects of one remote, in a bare repository of ours: nothing in it is ever checked out or
// run.
//
//     objects/…         packs, as they were fetched
//     complete/<commit>  written last: everything of that commit is here
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

// libgit2 as a whole: exists while any GitCache does. Its settings are the process's: no
// configuration file of the machine is read, objects that are, or by a delta become, larger than
// `most_bytes` are refused.
class GitLibrary {
  public:
    explicit GitLibrary(std::int64_t most_bytes);
    ~GitLibrary();
    GitLibrary(const GitLibrary&) = delete;
    GitLibrary& operator=(const GitLibrary&) = delete;
};

// A pack on its way into a cache. Destroyed before commit(): nothing of it stays.
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
    // `expired` is asked now and then; true ends the work with Code::timeout.
    Result<PackWriter> receive(std::function<bool()> expired);
    // That this commit and its top tree are here; not_found.
    Result<void> check_commit(const std::string& commit);
    Result<void> mark_complete(const std::string& commit);

    struct Content {
        Tree tree;
        std::vector<std::string> submodules;  // paths left out
    };
    // not_found: the commit has no such folder. too_large: over the limits.
    Result<Content> read(const std::string& commit, const std::string& path,
                         const GitLimits& limits) const;
    Result<GitAuthor> author(const std::string& commit) const;

  private:
    std::filesystem::path directory_;
};

}  // namespace atelier::drivers
