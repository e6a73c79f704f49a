#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>

#include "base/file.h"
#include "base/text.h"
#include "drivers/trees/tree.h"

namespace atelier::drivers {
namespace {

constexpr int deepest = 64;
constexpr std::size_t longest_link = 4096;

struct CloseFolder {
    void operator()(DIR* folder) const { closedir(folder); }
};
using Folder = std::unique_ptr<DIR, CloseFolder>;

struct Descriptor {
    int fd = -1;
    explicit Descriptor(int number) : fd(number) {}
    ~Descriptor() {
        if (fd >= 0) close(fd);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
};

// Every step is relative to an open folder and follows no link, so that nobody who changes the
// folder meanwhile can lead it elsewhere.
class Reader {
  public:
    explicit Reader(const TreeLimits& limits) : limits_(limits) {}

    Result<void> walk(int parent, const char* name, const std::string& prefix, int depth) {
        if (depth > deepest) {
            return Error{Code::too_large, fmt::format("the folders are deeper than {}", deepest)};
        }
        const int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0) return error_of_errno(errno, "cannot read the folder", prefix + name);
        const Folder folder(fdopendir(fd));
        CHECK(folder);
        while (true) {
            errno = 0;
            const dirent* entry = readdir(folder.get());
            if (!entry) break;
            const std::string_view found = entry->d_name;
            if (found == "." || found == ".." || lower(found) == ".git") continue;
            TRY(take(fd, entry->d_name, prefix + entry->d_name, depth));
        }
        if (errno != 0) return error_of_errno(errno, "cannot read the folder", prefix + name);
        return {};
    }

    Tree tree;

  private:
    Result<void> take(int folder, const char* name, const std::string& path, int depth) {
        TRY(check_tree_path(path));
        struct stat status {};
        if (fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) != 0) {
            return error_of_errno(errno, "cannot read", path);
        }
        if (S_ISDIR(status.st_mode)) return walk(folder, name, path + "/", depth + 1);
        if (static_cast<std::int64_t>(tree.size()) >= limits_.files) {
            return Error{Code::too_large, fmt::format("more than {} files", limits_.files)};
        }
        if (S_ISLNK(status.st_mode)) return take_link(folder, name, path);
        if (!S_ISREG(status.st_mode)) {
            return Error{Code::invalid, fmt::format("\"{}\" is neither a file nor a folder", path)};
        }
        return take_file(folder, name, path, (status.st_mode & S_IXUSR) != 0);
    }

    Result<void> take_link(int folder, const char* name, const std::string& path) {
        std::array<char, longest_link> target{};
        const ssize_t n = readlinkat(folder, name, target.data(), target.size());
        if (n < 0) return error_of_errno(errno, "cannot read", path);
        tree[path] = {File::Kind::symlink, false,
                      std::string(target.data(), static_cast<std::size_t>(n))};
        return {};
    }

    Result<void> take_file(int folder, const char* name, const std::string& path, bool executable) {
        // Not to wait for a writer, should it have become a pipe meanwhile.
        const Descriptor file(openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
        if (file.fd < 0) return error_of_errno(errno, "cannot read", path);
        std::string bytes;
        std::array<char, 65536> buffer{};
        while (true) {
            const ssize_t n = ::read(file.fd, buffer.data(), buffer.size());
            if (n < 0 && errno == EINTR) continue;
            if (n < 0) return error_of_errno(errno, "cannot read", path);
            if (n == 0) break;
            bytes_ += n;
            if (bytes_ > limits_.bytes) {
                return Error{Code::too_large,
                             fmt::format("files of more than {} bytes", limits_.bytes)};
            }
            bytes.append(buffer.data(), static_cast<std::size_t>(n));
        }
        tree[path] = {File::Kind::regular, executable, std::move(bytes)};
        return {};
    }

    const TreeLimits& limits_;
    std::int64_t bytes_ = 0;
};

}  // namespace

Result<Tree> read_tree(const std::filesystem::path& folder, const TreeLimits& limits) {
    // The folder itself may be given by a link; what is below it may not.
    std::error_code code;
    const auto real = std::filesystem::canonical(folder, code);
    if (code) return error_of_errno(code.value(), "cannot read the folder", folder);
    Reader reader(limits);
    TRY(reader.walk(AT_FDCWD, real.c_str(), "", 0));
    return std::move(reader.tree);
}

}  // namespace atelier::drivers
