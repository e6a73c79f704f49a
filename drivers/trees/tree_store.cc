// The layout of the directory:
//
//     <digest>/manifest.json     what the tree holds, and the proof of it: its digest is <digest>
//     <digest>/files/…           the files
//     .put-…/, .damaged-…/, .unwanted-…/   being written, or being cleared away
#include "drivers/trees/tree_store.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <mutex>

#include "base/descriptor.h"
#include "base/digest.h"
#include "base/field_codec.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/text.h"
#include "drivers/trees/tree_grace.h"

namespace atelier::drivers {
namespace {

namespace fs = std::filesystem;

struct StoredEntry {
    std::string path;
    std::string sha256;
    std::int64_t size = 0;
    bool executable = false;
    template <class Self, class V>
    static void fields(Self& self, V& v) {
        v("path", self.path);
        v("sha256", self.sha256);
        v("size", self.size);
        v("executable", self.executable);
    }
};

struct StoredManifest {
    std::vector<StoredEntry> files;
    template <class Self, class V>
    static void fields(Self& self, V& v) {
        v("files", self.files);
    }
};

bool is_digest(std::string_view text) {
    return is_lower_hex(text, 64);
}

Result<void> write_new_file(const fs::path& path, std::string_view bytes, bool executable) {
    const mode_t mode = executable ? 0755 : 0644;
    const Descriptor fd(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
    if (!fd) return error_of_errno(errno, "cannot write", path);
    if (fchmod(fd.get(), mode) != 0) return error_of_errno(errno, "cannot write", path);
    return write_all(fd, bytes, path);
}

void remove_quietly(const fs::path& path) {
    std::error_code ignored;
    fs::remove_all(path, ignored);
}

class DiskTreeStore final : public TreeCollection {
  public:
    explicit DiskTreeStore(fs::path directory) : directory_(std::move(directory)) {}

    Result<std::string> put(const Tree& tree) override {
        TRY(check_storable(tree));
        const Manifest manifest = manifest_of(tree);
        const std::string digest = digest_of(manifest);
        const fs::path place = directory_ / digest;
        if (is_here(digest)) return digest;

        const fs::path temporary = directory_ / fmt::format(".put-{}", next_++);
        remove_quietly(temporary);
        const Result<void> written = write(temporary, tree, manifest);
        if (!written) {
            remove_quietly(temporary);
            return written.error();
        }
        if (rename(temporary.c_str(), place.c_str()) != 0) {
            const int number = errno;
            remove_quietly(temporary);
            // Another thread has put the same tree meanwhile.
            if (number == EEXIST || number == ENOTEMPTY) return digest;
            return error_of_errno(number, "cannot store the tree", place);
        }
        TRY(sync_directory());
        const std::lock_guard lock(mutex_);
        grace_.touch(digest);
        return digest;
    }

    Result<TreePtr> get(const std::string& digest) override {
        const Manifest listed = TRY(manifest(digest));
        auto tree = std::make_shared<Tree>();
        for (const ManifestEntry& entry : listed) {
            const auto bytes = read_entry(digest, entry);
            if (!bytes) return bytes.error();
            tree->emplace(entry.path, File{File::Kind::regular, entry.executable, *bytes});
        }
        return TreePtr(std::move(tree));
    }

    Result<Manifest> manifest(const std::string& digest) override {
        if (!is_digest(digest)) {
            return Error{Code::invalid, "a tree's digest is 64 lower-case hexadecimal digits"};
        }
        const auto text = read_file(directory_ / digest / "manifest.json");
        if (!text) {
            if (text.error().code != Code::not_found) return text.error();
            struct stat status {};
            if (lstat((directory_ / digest).c_str(), &status) == 0) {
                return damaged(digest, "its manifest is missing");
            }
            return Error{Code::not_found, fmt::format("there is no tree {}", digest)};
        }
        const auto document = json::parse(*text);
        if (!document) return damaged(digest, document.error().message);
        const auto stored = json::read<StoredManifest>(*document);
        if (!stored) return damaged(digest, stored.error().message);
        Manifest listed;
        for (const StoredEntry& e : stored->files) {
            if (!check_tree_path(e.path) || (!listed.empty() && listed.back().path >= e.path)) {
                return damaged(digest, "its manifest is not in order");
            }
            listed.push_back({e.path, e.sha256, e.size, e.executable});
        }
        if (digest_of(listed) != digest) return damaged(digest, "its manifest has another digest");
        return listed;
    }

    Result<std::string> read(const std::string& digest, const std::string& path) override {
        const Manifest listed = TRY(manifest(digest));
        const auto entry = std::lower_bound(
            listed.begin(), listed.end(), path,
            [](const ManifestEntry& e, const std::string& wanted) { return e.path < wanted; });
        if (entry == listed.end() || entry->path != path) {
            return Error{Code::not_found,
                         fmt::format("the tree {} has no file of that path", digest)};
        }
        return read_entry(digest, *entry);
    }

    Result<std::set<std::string>> digests() override {
        std::set<std::string> found;
        std::error_code code;
        for (const auto& entry : fs::directory_iterator(directory_, code)) {
            std::string name = entry.path().filename().string();
            if (is_digest(name)) found.insert(std::move(name));
        }
        if (code) return error_of_errno(code.value(), "cannot read the folder", directory_);
        return found;
    }

    Result<std::vector<std::string>> collect(const std::set<std::string>& wanted, Instant now,
                                             Duration grace) override {
        const std::set<std::string> there = TRY(digests());
        std::vector<std::string> gone;
        std::vector<fs::path> aside;
        {
            const std::lock_guard lock(mutex_);
            for (std::string& digest : grace_.over(there, wanted, now, grace)) {
                fs::path away = directory_ / fmt::format(".unwanted-{}", next_++);
                remove_quietly(away);
                if (rename((directory_ / digest).c_str(), away.c_str()) != 0) {
                    if (errno == ENOENT) continue;
                    return error_of_errno(errno, "cannot remove a tree", directory_ / digest);
                }
                aside.push_back(std::move(away));
                gone.push_back(std::move(digest));
            }
        }
        for (const fs::path& path : aside) remove_quietly(path);
        return gone;
    }

  private:
    // A put of a tree that is there begins its grace period anew.
    bool is_here(const std::string& digest) {
        const std::lock_guard lock(mutex_);
        struct stat status {};
        if (lstat((directory_ / digest).c_str(), &status) != 0) return false;
        grace_.touch(digest);
        return true;
    }

    Result<void> write(const fs::path& temporary, const Tree& tree, const Manifest& manifest) {
        TRY(make_directories(temporary / "files"));
        std::string folder;
        for (const auto& [path, file] : tree) {
            const std::size_t end = path.rfind('/');
            if (end != std::string::npos && path.substr(0, end) != folder) {
                folder = path.substr(0, end);
                TRY(make_directories(temporary / "files" / folder));
            }
            TRY(write_new_file(temporary / "files" / path, file.bytes, file.executable));
        }
        StoredManifest stored;
        for (const ManifestEntry& e : manifest) {
            stored.files.push_back({e.path, e.sha256, e.size, e.executable});
        }
        const std::string text = json::pretty(json::document_of(stored));
        TRY(write_new_file(temporary / "manifest.json", text, false));
        // One sync for all of the tree's files instead of one each.
        const Descriptor fd(open(temporary.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        if (!fd || syncfs(fd.get()) != 0) {
            return error_of_errno(errno, "cannot store the tree", temporary);
        }
        return {};
    }

    Result<void> sync_directory() {
        const Descriptor fd(open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        if (!fd || fsync(fd.get()) != 0) {
            return error_of_errno(errno, "cannot store the tree", directory_);
        }
        return {};
    }

    Result<std::string> read_entry(const std::string& digest, const ManifestEntry& entry) {
        const auto most = static_cast<std::size_t>(std::max<std::int64_t>(entry.size, 0));
        auto bytes = read_file(directory_ / digest / "files" / entry.path, most);
        if (!bytes) {
            const Code code = bytes.error().code;
            if (code == Code::not_found || code == Code::too_large || code == Code::invalid) {
                return damaged(digest, entry.path + ": " + bytes.error().message);
            }
            return bytes.error();
        }
        if (sha256_hex(*bytes) != entry.sha256) return damaged(digest, entry.path + " has changed");
        return bytes;
    }

    // Moves the tree out of the way, so that the next put writes it again.
    Error damaged(const std::string& digest, const std::string& detail) {
        const fs::path aside = directory_ / fmt::format(".damaged-{}", next_++);
        remove_quietly(aside);
        if (rename((directory_ / digest).c_str(), aside.c_str()) == 0) remove_quietly(aside);
        return {Code::not_found,
                fmt::format("the stored tree {} was damaged and has been removed", digest), detail};
    }

    const fs::path directory_;
    std::atomic<std::uint64_t> next_ = 0;
    std::mutex mutex_;  // held between the look whether a tree is there and its removal
    TreeGrace grace_;   // guarded by mutex_
};

}  // namespace

Result<std::unique_ptr<TreeCollection>> open_tree_collection(
    const std::filesystem::path& directory) {
    TRY(make_directories(directory, 0700));
    std::error_code code;
    for (const auto& entry : fs::directory_iterator(directory, code)) {
        const std::string name = entry.path().filename().string();
        if (name.starts_with(".put-") || name.starts_with(".damaged-") ||
            name.starts_with(".unwanted-")) {
            remove_quietly(entry.path());
        }
    }
    if (code) return error_of_errno(code.value(), "cannot read the folder", directory);
    return std::unique_ptr<TreeCollection>(std::make_unique<DiskTreeStore>(directory));
}

Result<std::unique_ptr<TreeStore>> open_tree_store(const std::filesystem::path& directory) {
    return std::unique_ptr<TreeStore>(TRY(open_tree_collection(directory)));
}

}  // namespace atelier::drivers
