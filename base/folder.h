// Folders by descriptor: each step is taken from the folder that was opened before, and symbolic
// links are never followed, so nothing that another process puts in the way leads outside.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace atelier {

// Owns an open file or folder.
class Descriptor {
  public:
    Descriptor() = default;
    explicit Descriptor(int fd) : fd_(fd) {}
    ~Descriptor();
    Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Descriptor& operator=(Descriptor&& other) noexcept;
    int get() const { return fd_; }
    explicit operator bool() const { return fd_ >= 0; }

  private:
    int fd_ = -1;
};

struct FolderEntry {
    enum class Kind { file, folder, link, other };
    std::string name;
    Kind kind = Kind::other;
};

struct FolderFile {
    std::string bytes;
    bool executable = false;
};

struct FolderLimits {
    std::size_t depth = 40;
    std::size_t files = 50'000;
    std::size_t bytes = std::size_t{512} << 20;  // of all files together
};

// A folder that must exist and be no link. not_found, invalid (a link or no folder), forbidden.
Result<Descriptor> open_folder(const std::string& path);
Result<Descriptor> open_folder_at(const Descriptor& parent, const std::string& name);
// As open_folder_at, and makes it when it is absent.
Result<Descriptor> make_folder_at(const Descriptor& parent, const std::string& name, unsigned mode);
// Sorted by name, without "." and "..".
Result<std::vector<FolderEntry>> entries_of(const Descriptor& folder);
Result<FolderFile> read_file_at(const Descriptor& folder, const std::string& name,
                                std::size_t most);

// Calls `visit` for each regular file below the folder, with its path relative to it, a folder's
// files one after another. Fails with invalid on anything that is neither file nor folder, with
// too_large over the limits, and with the first error of `visit`.
Result<void> walk_files(
    const Descriptor& folder, const FolderLimits& limits,
    const std::function<Result<void>(const std::string& path, FolderFile&& file)>& visit);

// Removes a file, a link (not what it leads to) or a folder with all that is in it. Absent is
// success.
Result<void> remove_at(const Descriptor& parent, const std::string& name);

}  // namespace atelier
