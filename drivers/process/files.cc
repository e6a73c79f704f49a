#include "drivers/process/files.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "base/file.h"
#include "base/text.h"

namespace atelier::drivers {

namespace {

constexpr int folder_flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

Result<Descriptor> step_into(const Descriptor& folder, const std::string& name) {
    if (mkdirat(folder.get(), name.c_str(), 0755) != 0 && errno != EEXIST) {
        return error_of_errno(errno, "making a folder", name);
    }
    Descriptor next(openat(folder.get(), name.c_str(), folder_flags));
    if (next) return next;
    if (errno == ELOOP || errno == ENOTDIR) {
        return Error{Code::conflict, "\"" + name + "\" is in the way: it is not a folder"};
    }
    return error_of_errno(errno, "opening a folder", name);
}

Result<Descriptor> walk(Descriptor folder, std::string_view relative) {
    if (relative.empty()) return folder;
    for (const std::string& name : split(relative, '/')) folder = TRY(step_into(folder, name));
    return folder;
}

Result<Descriptor> copy_of(const Descriptor& folder) {
    Descriptor copy(fcntl(folder.get(), F_DUPFD_CLOEXEC, 3));
    if (!copy) return error_of_errno(errno, "opening a folder", {});
    return copy;
}

Result<void> write_all(int file, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t size = write(file, bytes.data(), bytes.size());
        if (size < 0 && errno == EINTR) continue;
        if (size < 0) return error_of_errno(errno, "writing a file", {});
        bytes.remove_prefix(static_cast<std::size_t>(size));
    }
    return {};
}

std::pair<std::string_view, std::string> parent_and_name(std::string_view path) {
    const std::size_t slash = path.rfind('/');
    if (slash == std::string_view::npos) return {"", std::string(path)};
    return {path.substr(0, slash), std::string(path.substr(slash + 1))};
}

Result<void> write_one(const Descriptor& folder, const std::string& name, const File& file) {
    if (unlinkat(folder.get(), name.c_str(), 0) != 0 && errno != ENOENT) {
        if (errno == EISDIR || errno == EPERM) {
            return Error{Code::conflict, "\"" + name + "\" is in the way: it is a folder"};
        }
        return error_of_errno(errno, "replacing a file", name);
    }
    if (file.kind == File::Kind::symlink) {
        if (symlinkat(file.bytes.c_str(), folder.get(), name.c_str()) == 0) return {};
        return error_of_errno(errno, "making a link", name);
    }
    const Descriptor made(openat(folder.get(), name.c_str(),
                                 O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                                 file.executable ? 0755 : 0644));
    if (!made) return error_of_errno(errno, "making a file", name);
    return write_all(made.get(), file.bytes);
}

}  // namespace

Result<Descriptor> open_folder_below(const std::filesystem::path& base, std::string_view relative) {
    Descriptor folder(open(base.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!folder) return error_of_errno(errno, "opening a folder", base);
    return walk(std::move(folder), relative);
}

Result<void> write_tree_below(const Descriptor& folder, const Tree& tree) {
    for (const auto& [path, file] : tree) {
        if (!is_safe_relative_path(path)) {
            return Error{Code::invalid, "path \"" + path + "\" may not be in a tree"};
        }
    }
    for (const auto& [path, file] : tree) {
        const auto [parent, name] = parent_and_name(path);
        Descriptor copy = TRY(copy_of(folder));
        const Descriptor inner = TRY(walk(std::move(copy), parent));
        TRY(write_one(inner, name, file));
    }
    return {};
}

Result<void> link_below(const std::filesystem::path& base, std::string_view relative,
                        const std::filesystem::path& target) {
    const auto [parent, name] = parent_and_name(relative);
    const Descriptor folder = TRY(open_folder_below(base, parent));
    struct stat there {};
    if (fstatat(folder.get(), name.c_str(), &there, AT_SYMLINK_NOFOLLOW) == 0) {
        const int flags = S_ISDIR(there.st_mode) ? AT_REMOVEDIR : 0;
        const bool replaceable = S_ISDIR(there.st_mode) || S_ISLNK(there.st_mode);
        if (!replaceable || unlinkat(folder.get(), name.c_str(), flags) != 0) {
            return Error{Code::conflict, "the place of mount \"" + std::string(relative) +
                                             "\" is taken by files of the unit"};
        }
    }
    if (symlinkat(target.c_str(), folder.get(), name.c_str()) != 0) {
        return error_of_errno(errno, "making a link", name);
    }
    return {};
}

Result<std::string> read_end(const std::filesystem::path& file, std::int64_t most) {
    const Descriptor open_file(open(file.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
    if (!open_file) {
        if (errno == ENOENT) return std::string();
        return error_of_errno(errno, "reading a log", file);
    }
    const off_t size = lseek(open_file.get(), 0, SEEK_END);
    off_t at = std::max<off_t>(size - most, 0);
    std::string text(static_cast<std::size_t>(size - at), '\0');
    std::size_t got = 0;
    while (got < text.size()) {
        const ssize_t part = pread(open_file.get(), text.data() + got, text.size() - got, at);
        if (part < 0 && errno == EINTR) continue;
        if (part < 0) return error_of_errno(errno, "reading a log", file);
        if (part == 0) break;
        got += static_cast<std::size_t>(part);
        at += part;
    }
    text.resize(got);
    // What was given up reads as zeros.
    const std::size_t first = text.find_first_not_of('\0');
    text.erase(0, first == std::string::npos ? text.size() : first);
    return text;
}

void give_up_beginning(int file, std::int64_t most) {
    constexpr off_t block = 1 << 16;
    const off_t size = lseek(file, 0, SEEK_END);
    const off_t surplus = (size - most) / block * block;
    if (surplus <= 0) return;
    // A hole keeps every offset as it is: a line that is written at the same moment is not lost.
    if (fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, surplus) == 0) return;
    // Where files can have none, a log starts anew when it is twice as large.
    if (size > 2 * most && ftruncate(file, 0) != 0) return;
}

}  // namespace atelier::drivers
