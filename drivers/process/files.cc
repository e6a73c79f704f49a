#include "drivers/process/files.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "base/file.h"
#include "base/folder.h"
#include "base/text.h"

namespace atelier::drivers {

namespace {

// As make_folder_below: here a link or a file in the way is a conflict with what the unit wrote.
Result<Descriptor> folder_below(const Descriptor& base, std::string_view relative) {
    auto folder = make_folder_below(base, relative, 0755);
    if (!folder && folder.error().code == Code::invalid) {
        return Error{Code::conflict,
                     "\"" + std::string(relative) +
                         "\" cannot be used: a part of it is a link or "
                         "no folder",
                     folder.error().detail};
    }
    return folder;
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
        return error_of_errno(errno, "cannot replace the file", name);
    }
    if (file.kind == File::Kind::symlink) {
        if (symlinkat(file.bytes.c_str(), folder.get(), name.c_str()) == 0) return {};
        return error_of_errno(errno, "cannot make the link", name);
    }
    TRY(create_file_at(folder, name, file.bytes, file.executable ? 0755 : 0644));
    return {};
}

}  // namespace

Result<Descriptor> open_folder_below(const std::filesystem::path& base, std::string_view relative) {
    Descriptor folder(open(base.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!folder) return error_of_errno(errno, "cannot open the folder", base);
    return folder_below(folder, relative);
}

Result<void> write_tree_below(const Descriptor& folder, const Tree& tree) {
    for (const auto& [path, file] : tree) {
        if (!is_safe_relative_path(path)) {
            return Error{Code::invalid, "path \"" + path + "\" may not be in a tree"};
        }
    }
    for (const auto& [path, file] : tree) {
        const auto [parent, name] = parent_and_name(path);
        const Descriptor inner = TRY(folder_below(folder, parent));
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
        return error_of_errno(errno, "cannot make the link", name);
    }
    return {};
}

std::vector<std::filesystem::path> folders_in(const std::filesystem::path& folder) {
    std::vector<std::filesystem::path> found;
    std::error_code failed;
    for (const auto& entry : std::filesystem::directory_iterator(folder, failed)) {
        if (entry.is_directory(failed)) found.push_back(entry.path());
    }
    std::sort(found.begin(), found.end());
    return found;
}

Result<std::string> read_end(const std::filesystem::path& file, std::int64_t most) {
    const Descriptor folder = TRY(open_folder(file.parent_path().string()));
    const auto opened = open_file_at(folder, file.filename(), O_RDONLY);
    if (!opened && opened.error().code == Code::not_found) return std::string();
    if (!opened) return opened.error();
    const Descriptor& open_file = *opened;
    const off_t size = lseek(open_file.get(), 0, SEEK_END);
    off_t at = std::max<off_t>(size - most, 0);
    std::string text(static_cast<std::size_t>(size - at), '\0');
    std::size_t got = 0;
    while (got < text.size()) {
        const ssize_t part = pread(open_file.get(), text.data() + got, text.size() - got, at);
        if (part < 0 && errno == EINTR) continue;
        if (part < 0) return error_of_errno(errno, "cannot read the log", file);
        if (part == 0) break;
        got += static_cast<std::size_t>(part);
        at += part;
    }
    text.resize(got);
    // The part that was given back to the disk reads as zeros.
    const std::size_t first = text.find_first_not_of('\0');
    text.erase(0, first == std::string::npos ? text.size() : first);
    return text;
}

std::string last_lines_of(const std::string& text, std::size_t lines) {
    if (lines == 0) return {};
    std::size_t from = text.size();
    if (from > 0 && text[from - 1] == '\n') --from;
    for (std::size_t found = 0; from > 0; --from) {
        if (text[from - 1] == '\n' && ++found == lines) break;
    }
    return text.substr(from);
}

void give_up_beginning(int file, std::int64_t most) {
    constexpr off_t block = 1 << 16;
    const off_t size = lseek(file, 0, SEEK_END);
    const off_t surplus = (size - most) / block * block;
    if (surplus <= 0) return;
    // A hole keeps every offset as it is: a line that is written at the same moment is not lost.
    if (fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, surplus) == 0) return;
    // A file system without holes: its newest part is written again from the start, when the log is
    // twice as large. A line that is written at the same moment may be lost.
    if (size <= 2 * most) return;
    std::string end(static_cast<std::size_t>(most), '\0');
    const ssize_t got = pread(file, end.data(), end.size(), size - most);
    if (got < 0 || ftruncate(file, 0) != 0) return;
    static_cast<void>(!write(file, end.data(), static_cast<std::size_t>(got)));
}

}  // namespace atelier::drivers
