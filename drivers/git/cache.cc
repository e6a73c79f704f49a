#include "drivers/git/cache.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <git2.h>
#include <sys/stat.h>

#include <algorithm>
#include <tuple>

#include "base/file.h"
#include "drivers/git/one_line.h"

namespace atelier::drivers {
namespace {

namespace fs = std::filesystem;

constexpr int deepest = 64;
constexpr std::size_t most_objects = 2'000'000;
constexpr std::size_t most_absent = 1000;
constexpr std::size_t object_cache_bytes = 16u << 20;

template <class T, void (*free)(T*)>
struct Freed {
    void operator()(T* object) const { free(object); }
};
template <class T, void (*free)(T*)>
using Owned = std::unique_ptr<T, Freed<T, free>>;
using Repository = Owned<git_repository, git_repository_free>;
using Odb = Owned<git_odb, git_odb_free>;
using Object = Owned<git_object, git_object_free>;
using TreeObject = Owned<git_tree, git_tree_free>;
using Blob = Owned<git_blob, git_blob_free>;
using Entry = Owned<git_tree_entry, git_tree_entry_free>;

// The Error for a failed call of libgit2. Its words go to the log.
Error error_of_git(std::string_view what) {
    const git_error* last = git_error_last();
    const std::string detail = last && last->message ? last->message : "";
    if (detail.find("No space left") != std::string::npos) {
        return {Code::exhausted, "the disk of the server is full", detail};
    }
    return {Code::internal, fmt::format("the cache is damaged: {}", what), detail};
}

Result<Repository> open_repository(const fs::path& directory) {
    git_repository* raw = nullptr;
    if (git_repository_open_bare(&raw, directory.c_str()) != 0) {
        return error_of_git("the cache cannot be opened");
    }
    return Repository(raw);
}

Result<git_oid> parse_id(const std::string& commit) {
    git_oid id;
    if (git_oid_fromstr(&id, commit.c_str()) != 0) {
        return Error{Code::invalid, "a commit is 40 hexadecimal digits"};
    }
    return id;
}

// The top tree of a commit, or of the commit that an annotated tag means.
Result<TreeObject> top_tree(git_repository* repository, const std::string& commit) {
    const git_oid id = TRY(parse_id(commit));
    git_object* object = nullptr;
    const int found = git_object_lookup(&object, repository, &id, GIT_OBJECT_ANY);
    if (found == GIT_ENOTFOUND) {
        return Error{Code::not_found, fmt::format("the repository has no commit {}", commit)};
    }
    if (found != 0) return error_of_git("a commit cannot be read");
    const Object start(object);
    git_object* tree = nullptr;
    if (git_object_peel(&tree, start.get(), GIT_OBJECT_TREE) != 0) {
        const auto type = git_object_type(start.get());
        if (type != GIT_OBJECT_COMMIT && type != GIT_OBJECT_TAG && type != GIT_OBJECT_TREE) {
            return Error{Code::not_found, fmt::format("{} is not a commit", commit)};
        }
        return error_of_git("a commit's tree cannot be read");
    }
    return TreeObject(reinterpret_cast<git_tree*>(tree));
}

// https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md: less than 1024 bytes, the version
// first.
bool is_lfs_pointer(std::string_view bytes) {
    return bytes.size() < 1024 &&
           bytes.starts_with("version https://git-lfs.github.com/spec/v1\n") &&
           bytes.find("\noid sha256:") != std::string_view::npos;
}

std::size_t entries_in(const fs::path& folder) {
    std::error_code code;
    std::size_t count = 0;
    for (fs::directory_iterator it(folder, code), end; !code && it != end; it.increment(code)) {
        ++count;
    }
    return count;
}

// Reads trees and blobs into a Tree, within the limits.
class Reader {
  public:
    Reader(git_repository* repository, git_odb* odb, const GitLimits& limits)
        : repository_(repository), odb_(odb), limits_(limits) {}

    Result<void> walk(const git_tree* tree, const std::string& prefix, int depth) {
        if (depth > deepest) {
            return Error{Code::too_large, fmt::format("the folders are deeper than {}", deepest)};
        }
        for (std::size_t i = 0; i < git_tree_entrycount(tree); ++i) {
            TRY(take(git_tree_entry_byindex(tree, i), prefix, depth));
        }
        return {};
    }

    GitCache::Content content;

  private:
    Result<void> take(const git_tree_entry* entry, const std::string& prefix, int depth) {
        const std::string path = prefix + git_tree_entry_name(entry);
        TRY(check_tree_path(path));
        switch (git_tree_entry_filemode(entry)) {
            case GIT_FILEMODE_TREE: {
                git_tree* tree = nullptr;
                if (git_tree_lookup(&tree, repository_, git_tree_entry_id(entry)) != 0) {
                    return error_of_git("a folder cannot be read");
                }
                const TreeObject owned(tree);
                return walk(tree, path + "/", depth + 1);
            }
            case GIT_FILEMODE_COMMIT:
                content.gaps.submodules.push_back(path);
                return {};
            case GIT_FILEMODE_LINK:
                return file(path, entry, File::Kind::symlink, false);
            case GIT_FILEMODE_BLOB_EXECUTABLE:
                return file(path, entry, File::Kind::regular, true);
            default:
                return file(path, entry, File::Kind::regular, false);
        }
    }

    Result<void> file(const std::string& path, const git_tree_entry* entry, File::Kind kind,
                      bool executable) {
        std::size_t size = 0;
        git_object_t type = GIT_OBJECT_INVALID;
        if (git_odb_read_header(&size, &type, odb_, git_tree_entry_id(entry)) != 0) {
            return error_of_git("a file cannot be read");
        }
        bytes_ += static_cast<std::int64_t>(size);
        // The limit on files also bounds a commit of a million empty ones.
        if (static_cast<std::int64_t>(content.tree.size()) >= limits_.files) {
            return Error{Code::too_large,
                         fmt::format("the commit has more than {} files", limits_.files)};
        }
        if (bytes_ > limits_.bytes) {
            return Error{
                Code::too_large,
                fmt::format("the files of the commit have more than {} bytes", limits_.bytes)};
        }
        git_blob* raw = nullptr;
        if (git_blob_lookup(&raw, repository_, git_tree_entry_id(entry)) != 0) {
            return error_of_git("a file cannot be read");
        }
        const Blob blob(raw);
        const auto* start = static_cast<const char*>(git_blob_rawcontent(raw));
        File out{kind, executable,
                 std::string(start, static_cast<std::size_t>(git_blob_rawsize(raw)))};
        if (is_lfs_pointer(out.bytes)) content.gaps.lfs_pointers.push_back(path);
        if (!content.tree.emplace(path, std::move(out)).second) {
            return Error{Code::invalid, "a folder of the commit has two entries of one name"};
        }
        return {};
    }

    git_repository* repository_;
    git_odb* odb_;
    const GitLimits& limits_;
    std::int64_t bytes_ = 0;
};

}  // namespace

GitLibrary::GitLibrary(std::int64_t most_bytes) {
    CHECK(git_libgit2_init() > 0);
    for (const int level : {GIT_CONFIG_LEVEL_PROGRAMDATA, GIT_CONFIG_LEVEL_SYSTEM,
                            GIT_CONFIG_LEVEL_XDG, GIT_CONFIG_LEVEL_GLOBAL}) {
        git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, level, "");
    }
    // The cache may be on a volume of another owner. Nothing in it is run, so that is no danger.
    git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
    git_libgit2_opts(GIT_OPT_ENABLE_FSYNC_GITDIR, 1);
    git_libgit2_opts(GIT_OPT_SET_PACK_MAX_OBJECTS, most_objects);
    git_libgit2_opts(GIT_OPT_SET_PACK_MAX_OBJECT_SIZE, static_cast<std::size_t>(most_bytes));
    git_libgit2_opts(GIT_OPT_SET_CACHE_MAX_SIZE, static_cast<ssize_t>(object_cache_bytes));
}

GitLibrary::~GitLibrary() {
    git_libgit2_shutdown();
}

struct PackWriter::State {
    git_indexer* indexer = nullptr;
    git_indexer_progress progress = {};
    std::function<bool()> expired;
    bool timed_out = false;
    std::int64_t appended = 0;

    ~State() { git_indexer_free(indexer); }
    static int on_progress(const git_indexer_progress*, void* payload) {
        auto& state = *static_cast<State*>(payload);
        state.timed_out = state.timed_out || state.expired();
        return state.timed_out ? -1 : 0;
    }
    Error failed() const {
        if (timed_out) return {Code::timeout, "reading the pack took longer than the deadline"};
        const Error error = error_of_git("the pack cannot be read");
        if (error.code == Code::exhausted) return error;
        const auto says = [&](std::string_view text) {
            return error.detail.find(text) != std::string::npos;
        };
        if (says("overly large") || says("too large") || says("too many objects") ||
            says("maximum")) {
            return {Code::too_large, "the pack has an object over the limit", error.detail};
        }
        return {Code::unavailable, "the server sent a damaged pack", error.detail};
    }
};

PackWriter::PackWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}
PackWriter::~PackWriter() = default;
PackWriter::PackWriter(PackWriter&&) noexcept = default;

Result<void> PackWriter::append(std::string_view bytes) {
    state_->appended += static_cast<std::int64_t>(bytes.size());
    if (git_indexer_append(state_->indexer, bytes.data(), bytes.size(), &state_->progress) != 0) {
        return state_->failed();
    }
    return {};
}

Result<void> PackWriter::commit() {
    if (git_indexer_commit(state_->indexer, &state_->progress) != 0) return state_->failed();
    return {};
}

bool GitCache::is_complete(const std::string& commit) const {
    std::error_code ignored;
    return fs::is_regular_file(directory_ / "complete" / commit, ignored);
}

std::size_t GitCache::complete_commits() const {
    return entries_in(directory_ / "complete");
}

Result<void> GitCache::prepare() {
    if (open_repository(directory_)) {
        // Removes packs that a crash left half written.
        std::error_code code;
        for (fs::directory_iterator it(directory_ / "objects" / "pack", code), end;
             !code && it != end; it.increment(code)) {
            const std::string extension = it->path().extension().string();
            if (extension != ".pack" && extension != ".idx") {
                std::error_code ignored;
                fs::remove(it->path(), ignored);
            }
        }
        return {};
    }
    TRY(clear());
    TRY(make_directories(directory_, 0700));
    git_repository_init_options options = GIT_REPOSITORY_INIT_OPTIONS_INIT;
    options.flags = GIT_REPOSITORY_INIT_BARE | GIT_REPOSITORY_INIT_NO_DOTGIT_DIR;
    git_repository* raw = nullptr;
    if (git_repository_init_ext(&raw, directory_.c_str(), &options) != 0) {
        return error_of_git("the cache cannot be made");
    }
    git_repository_free(raw);
    TRY(make_directories(directory_ / "objects" / "pack", 0700));
    return make_directories(directory_ / "complete", 0700);
}

Result<void> GitCache::clear() {
    std::error_code code;
    // Markers first: after a crash in between, commits are fetched again and none is incomplete.
    fs::remove_all(directory_ / "complete", code);
    if (!code) fs::remove_all(directory_, code);
    if (code) return error_of_errno(code.value(), "cannot clear the git cache", directory_);
    return {};
}

Result<PackWriter> GitCache::receive(std::function<bool()> expired) {
    auto state = std::make_unique<PackWriter::State>();
    state->expired = std::move(expired);
    git_indexer_options options = GIT_INDEXER_OPTIONS_INIT;
    options.progress_cb = &PackWriter::State::on_progress;
    options.progress_cb_payload = state.get();
    const fs::path packs = directory_ / "objects" / "pack";
    if (git_indexer_new(&state->indexer, packs.c_str(), 0, nullptr, &options) != 0) {
        return error_of_git("a pack cannot be written");
    }
    return PackWriter(std::move(state));
}

Result<void> GitCache::check_commit(const std::string& commit) {
    const Repository repository = TRY(open_repository(directory_));
    const TreeObject tree = TRY(top_tree(repository.get(), commit));
    return {};
}

Result<void> GitCache::mark_complete(const std::string& commit) {
    TRY(make_directories(directory_ / "complete", 0700));
    return write_file_atomically(directory_ / "complete" / commit, "");
}

bool GitCache::is_absent(const std::string& commit, const std::string& tips) const {
    const auto text = read_file(directory_ / "absent" / commit, 128);
    return text && *text == tips;
}

Result<void> GitCache::mark_absent(const std::string& commit, const std::string& tips) {
    if (entries_in(directory_ / "absent") >= most_absent) {
        std::error_code ignored;
        fs::remove_all(directory_ / "absent", ignored);
    }
    TRY(make_directories(directory_ / "absent", 0700));
    return write_file_atomically(directory_ / "absent" / commit, tips);
}

std::int64_t GitCache::bytes() const {
    std::int64_t sum = 0;
    std::error_code code;
    for (fs::directory_iterator it(directory_ / "objects" / "pack", code), end; !code && it != end;
         it.increment(code)) {
        std::error_code gone;
        const auto size = it->file_size(gone);
        if (!gone) sum += static_cast<std::int64_t>(size);
    }
    return sum;
}

void GitCache::note_use(Instant now) const {
    const fs::path file = directory_ / "used";
    std::error_code ignored;
    if (!fs::exists(file, ignored) && !write_file_atomically(file, "")) return;
    const std::int64_t micros = now.time_since_epoch().count();
    const timespec time{static_cast<time_t>(micros / 1'000'000),
                        static_cast<long>(micros % 1'000'000 * 1000)};
    const timespec both[] = {time, time};
    static_cast<void>(utimensat(AT_FDCWD, file.c_str(), both, 0));
}

std::vector<UsedCache> used_caches(const fs::path& directory) {
    std::vector<UsedCache> caches;
    std::error_code code;
    for (fs::directory_iterator it(directory, code), end; !code && it != end; it.increment(code)) {
        struct stat used {};
        if (stat((it->path() / "used").c_str(), &used) != 0 &&
            stat(it->path().c_str(), &used) != 0) {
            continue;
        }
        caches.push_back({it->path().filename(),
                          Instant(std::chrono::seconds(used.st_mtim.tv_sec) +
                                  Duration(used.st_mtim.tv_nsec / 1000)),
                          GitCache(it->path()).bytes()});
    }
    return caches;
}

std::vector<std::string> caches_to_remove(std::vector<UsedCache> caches, const GitLimits& limits,
                                          Instant now) {
    std::sort(caches.begin(), caches.end(), [](const UsedCache& a, const UsedCache& b) {
        return std::tie(a.last_used, a.name) < std::tie(b.last_used, b.name);
    });
    std::int64_t all = 0;
    for (const UsedCache& cache : caches) all += cache.bytes;
    std::vector<std::string> over;
    for (const UsedCache& cache : caches) {
        const bool unused = now - cache.last_used > limits.cache_unused;
        if (!unused && all <= limits.all_caches_bytes) continue;
        all -= cache.bytes;
        over.push_back(cache.name);
    }
    return over;
}

Result<GitCache::Content> GitCache::read(const std::string& commit, const std::string& path,
                                         const GitLimits& limits) const {
    const Repository repository = TRY(open_repository(directory_));
    git_odb* raw = nullptr;
    if (git_repository_odb(&raw, repository.get()) != 0) {
        return error_of_git("the cache has no objects");
    }
    const Odb odb(raw);
    auto top = top_tree(repository.get(), commit);
    if (!top) {
        // The marker says that the commit is complete.
        if (top.error().code == Code::not_found) {
            return Error{Code::internal, "the cache is damaged: a commit is missing",
                         top.error().message};
        }
        return top.error();
    }
    TreeObject tree = *std::move(top);
    if (!path.empty()) {
        git_tree_entry* found = nullptr;
        const int rc = git_tree_entry_bypath(&found, tree.get(), path.c_str());
        const Entry entry(found);
        if (rc == GIT_ENOTFOUND || (rc == 0 && git_tree_entry_type(found) != GIT_OBJECT_TREE)) {
            return Error{Code::not_found,
                         fmt::format("the commit {} has no folder \"{}\"", commit, path)};
        }
        git_tree* below = nullptr;
        if (rc != 0 ||
            git_tree_lookup(&below, repository.get(), git_tree_entry_id(entry.get())) != 0) {
            return error_of_git("a folder cannot be read");
        }
        tree.reset(below);
    }
    Reader reader(repository.get(), odb.get(), limits);
    TRY(reader.walk(tree.get(), "", 0));
    return std::move(reader.content);
}

Result<GitAuthor> GitCache::author(const std::string& commit) const {
    const Repository repository = TRY(open_repository(directory_));
    const git_oid id = TRY(parse_id(commit));
    git_object* object = nullptr;
    if (git_object_lookup(&object, repository.get(), &id, GIT_OBJECT_ANY) != 0) {
        return Error{Code::not_found, fmt::format("the repository has no commit {}", commit)};
    }
    const Object start(object);
    git_object* peeled = nullptr;
    // The id may be that of a tree, which has no author.
    if (git_object_peel(&peeled, start.get(), GIT_OBJECT_COMMIT) != 0) return GitAuthor{};
    const Object owned(peeled);
    auto* found = reinterpret_cast<git_commit*>(peeled);
    const git_signature* author = git_commit_author(found);
    const char* message = git_commit_message(found);
    const std::string_view text = message ? message : "";
    const std::size_t begin = std::min(text.find_first_not_of("\r\n"), text.size());
    return GitAuthor{one_line(author && author->name ? author->name : ""),
                     one_line(text.substr(begin, text.find_first_of("\r\n", begin) - begin))};
}

}  // namespace atelier::drivers
