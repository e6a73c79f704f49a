#include "base/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/descriptor.h"

namespace atelier {
Error error_of_errno(int number, std::string_view doing, const std::filesystem::path& path) {
    Code code = Code::internal;
    std::string_view why = "input or output error";
    switch (number) {
        case ENOENT:
            code = Code::not_found, why = "no such file or directory";
            break;
        case EEXIST:
            code = Code::already_exists, why = "it exists already";
            break;
        case ENOTDIR:
            code = Code::invalid, why = "a part of the path is not a directory";
            break;
        case EACCES:
        case EPERM:
            code = Code::forbidden, why = "permission denied";
            break;
        case ENOSPC:
        case EDQUOT:
            code = Code::exhausted, why = "the disk is full";
            break;
        case EROFS:
            code = Code::forbidden, why = "the file system is read-only";
            break;
        case ELOOP:
            code = Code::invalid, why = "a symbolic link where none may be";
            break;
        case EMFILE:
        case ENFILE:
            code = Code::exhausted, why = "too many open files";
            break;
        default:
            break;
    }
    return {code, fmt::format("{} \"{}\": {}", doing, path.filename().string(), why),
            fmt::format("{}: {}", path.string(), std::strerror(number))};
}

Result<std::string> read_file(const std::filesystem::path& path, std::size_t most) {
    const Descriptor fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd) return error_of_errno(errno, "cannot read", path);
    std::string bytes;
    char buffer[65536];
    while (true) {
        const ssize_t n = ::read(fd.get(), buffer, sizeof buffer);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return error_of_errno(errno, "cannot read", path);
        if (n == 0) return bytes;
        bytes.append(buffer, static_cast<std::size_t>(n));
        if (bytes.size() > most) {
            return Error{Code::too_large, fmt::format("\"{}\" is larger than {} bytes",
                                                      path.filename().string(), most)};
        }
    }
}

Result<void> write_all(const Descriptor& file, std::string_view bytes,
                       const std::filesystem::path& name) {
    while (!bytes.empty()) {
        const ssize_t n = ::write(file.get(), bytes.data(), bytes.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return error_of_errno(errno, "cannot write", name);
        bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return {};
}

Result<void> write_file_atomically(const std::filesystem::path& path, std::string_view bytes,
                                   unsigned mode) {
    const std::filesystem::path temporary =
        path.parent_path() / fmt::format(".{}.{}.tmp", path.filename().string(), getpid());
    const auto fail = [&](int number) {
        unlink(temporary.c_str());
        return error_of_errno(number, "cannot write", path);
    };
    {
        unlink(temporary.c_str());
        const Descriptor fd(open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
        if (!fd) return fail(errno);
        if (fchmod(fd.get(), mode) != 0) return fail(errno);
        if (auto written = write_all(fd, bytes, path); !written) {
            unlink(temporary.c_str());
            return written;
        }
        if (fsync(fd.get()) != 0) return fail(errno);
    }
    if (rename(temporary.c_str(), path.c_str()) != 0) return fail(errno);
    const Descriptor folder(open(path.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!folder || fsync(folder.get()) != 0) {
        return error_of_errno(errno, "cannot write", path);
    }
    return {};
}

Result<void> make_directories(const std::filesystem::path& path, unsigned mode) {
    if (path.empty() || path == path.root_path()) return {};
    struct stat status {};
    if (stat(path.c_str(), &status) == 0) {
        if (S_ISDIR(status.st_mode)) return {};
        return error_of_errno(ENOTDIR, "cannot make the directory", path);
    }
    TRY(make_directories(path.parent_path(), mode));
    if (mkdir(path.c_str(), mode) != 0 && errno != EEXIST) {
        return error_of_errno(errno, "cannot make the directory", path);
    }
    return {};
}

}  // namespace atelier
