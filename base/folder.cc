#include "base/folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "base/file.h"
#include "base/text.h"

namespace atelier {
namespace {

constexpr int folder_flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

FolderEntry::Kind kind_of(mode_t mode) {
    if (S_ISREG(mode)) return FolderEntry::Kind::file;
    if (S_ISDIR(mode)) return FolderEntry::Kind::folder;
    if (S_ISLNK(mode)) return FolderEntry::Kind::link;
    return FolderEntry::Kind::other;
}

// O_NOFOLLOW with O_DIRECTORY answers ENOTDIR for a link; both mean the same here.
Error open_error(const std::string& name) {
    return error_of_errno(errno, "cannot open", name);
}

Result<void> walk(const Descriptor& folder, const std::string& prefix, std::size_t depth,
                  FolderLimits& left,
                  const std::function<Result<void>(const std::string&, FolderFile&&)>& visit) {
    if (depth == 0) return Error{Code::too_large, "folders are nested too deep"};
    const std::vector<FolderEntry> entries = TRY(entries_of(folder));
    for (const FolderEntry& entry : entries) {
        const std::string path = prefix + entry.name;
        if (entry.kind == FolderEntry::Kind::folder) {
            const Descriptor inner = TRY(open_folder_at(folder, entry.name));
            TRY(walk(inner, path + "/", depth - 1, left, visit));
            continue;
        }
        if (entry.kind != FolderEntry::Kind::file) {
            return Error{Code::invalid, "\"" + path + "\" is neither a regular file nor a folder"};
        }
        if (left.files == 0) return Error{Code::too_large, "there are too many files"};
        FolderFile file = TRY(read_file_at(folder, entry.name, left.bytes));
        --left.files;
        left.bytes -= file.bytes.size();
        TRY(visit(path, std::move(file)));
    }
    return {};
}

Error not_regular(const std::string& name) {
    return {Code::invalid, "\"" + name + "\" is not a regular file"};
}

template <class Step>
Result<Descriptor> step_below(const Descriptor& base, std::string_view relative, const Step& step) {
    Descriptor folder = TRY(open_folder_at(base, "."));
    if (relative.empty()) return folder;
    if (!is_safe_relative_path(relative)) {
        return Error{Code::invalid, "\"" + std::string(relative) + "\" leads outside its folder"};
    }
    for (const std::string& name : split(relative, '/')) folder = TRY(step(folder, name));
    return folder;
}

}  // namespace

Result<Descriptor> open_folder(const std::string& path) {
    Descriptor folder(open(path.c_str(), folder_flags));
    if (!folder) return open_error(path);
    return folder;
}

Result<Descriptor> open_folder_at(const Descriptor& parent, const std::string& name) {
    Descriptor folder(openat(parent.get(), name.c_str(), folder_flags));
    if (!folder) return open_error(name);
    return folder;
}

Result<Descriptor> make_folder_at(const Descriptor& parent, const std::string& name,
                                  unsigned mode) {
    if (mkdirat(parent.get(), name.c_str(), mode) != 0 && errno != EEXIST) {
        return error_of_errno(errno, "cannot make the folder", name);
    }
    return open_folder_at(parent, name);
}

Result<std::vector<FolderEntry>> entries_of(const Descriptor& folder) {
    // A second descriptor with a position of its own: listing twice lists everything twice.
    const int own = openat(folder.get(), ".", folder_flags);
    if (own < 0) return open_error(".");
    DIR* const opened = fdopendir(own);
    if (!opened) {
        const Error error = open_error(".");
        close(own);
        return error;
    }
    const std::unique_ptr<DIR, int (*)(DIR*)> stream(opened, closedir);
    std::vector<FolderEntry> entries;
    while (true) {
        errno = 0;
        const dirent* const entry = readdir(stream.get());
        if (!entry) break;
        const std::string name = entry->d_name;
        if (name == "." || name == "..") continue;
        struct stat status {};
        if (fstatat(folder.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
            if (errno == ENOENT) continue;
            return error_of_errno(errno, "cannot look at", name);
        }
        entries.push_back({name, kind_of(status.st_mode)});
    }
    if (errno != 0) return error_of_errno(errno, "cannot list", ".");
    std::sort(entries.begin(), entries.end(),
              [](const FolderEntry& a, const FolderEntry& b) { return a.name < b.name; });
    return entries;
}

Result<Descriptor> open_folder_below(const Descriptor& base, std::string_view relative) {
    return step_below(base, relative, open_folder_at);
}

Result<Descriptor> make_folder_below(const Descriptor& base, std::string_view relative,
                                     unsigned mode) {
    return step_below(base, relative, [mode](const Descriptor& folder, const std::string& name) {
        return make_folder_at(folder, name, mode);
    });
}

Result<Descriptor> open_file_at(const Descriptor& folder, const std::string& name, int flags) {
    // Without O_NONBLOCK, opening a pipe waits for its other end. Regular files ignore it.
    Descriptor file(
        openat(folder.get(), name.c_str(), flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600));
    if (!file && errno == ENXIO) return not_regular(name);  // a pipe without a reader, or a socket
    if (!file) return error_of_errno(errno, "cannot open", name);
    struct stat status {};
    if (fstat(file.get(), &status) != 0) return error_of_errno(errno, "cannot open", name);
    if (!S_ISREG(status.st_mode)) return not_regular(name);
    return file;
}

Result<FolderFile> read_file_at(const Descriptor& folder, const std::string& name,
                                std::size_t most) {
    const Descriptor fd = TRY(open_file_at(folder, name, O_RDONLY));
    struct stat status {};
    if (fstat(fd.get(), &status) != 0) return error_of_errno(errno, "cannot read", name);
    FolderFile file;
    file.executable = (status.st_mode & S_IXUSR) != 0;
    char buffer[65536];
    while (true) {
        const ssize_t n = read(fd.get(), buffer, sizeof buffer);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return error_of_errno(errno, "cannot read", name);
        if (n == 0) return file;
        if (file.bytes.size() + static_cast<std::size_t>(n) > most) {
            return Error{Code::too_large, "\"" + name + "\" is over the limit of bytes"};
        }
        file.bytes.append(buffer, static_cast<std::size_t>(n));
    }
}

Result<Descriptor> create_file_at(const Descriptor& folder, const std::string& name,
                                  std::string_view bytes, unsigned mode) {
    Descriptor file(openat(folder.get(), name.c_str(),
                           O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
    if (!file) return error_of_errno(errno, "cannot write", name);
    TRY(write_all(file, bytes, name));
    // The umask may have taken bits away.
    if (fchmod(file.get(), mode) != 0) return error_of_errno(errno, "cannot write", name);
    return file;
}

Result<void> replace_file_at(const Descriptor& folder, const std::string& name,
                             std::string_view bytes, unsigned mode) {
    const std::string temporary = "." + name + "." + std::to_string(getpid()) + ".tmp";
    TRY(remove_at(folder, temporary));
    const auto written = create_file_at(folder, temporary, bytes, mode);
    if (written && fsync(written->get()) == 0 &&
        renameat(folder.get(), temporary.c_str(), folder.get(), name.c_str()) == 0 &&
        fsync(folder.get()) == 0) {
        return {};
    }
    const Error error = written ? error_of_errno(errno, "cannot write", name) : written.error();
    unlinkat(folder.get(), temporary.c_str(), 0);
    return error;
}

Result<void> walk_files(
    const Descriptor& folder, const FolderLimits& limits,
    const std::function<Result<void>(const std::string&, FolderFile&&)>& visit) {
    FolderLimits left = limits;
    return walk(folder, "", limits.depth, left, visit);
}

Result<void> remove_at(const Descriptor& parent, const std::string& name) {
    if (unlinkat(parent.get(), name.c_str(), 0) == 0 || errno == ENOENT) return {};
    if (errno != EISDIR && errno != EPERM) return error_of_errno(errno, "cannot remove", name);
    {
        const Descriptor folder = TRY(open_folder_at(parent, name));
        const std::vector<FolderEntry> entries = TRY(entries_of(folder));
        for (const FolderEntry& entry : entries) TRY(remove_at(folder, entry.name));
    }
    if (unlinkat(parent.get(), name.c_str(), AT_REMOVEDIR) == 0 || errno == ENOENT) return {};
    return error_of_errno(errno, "cannot remove", name);
}

}  // namespace atelier
