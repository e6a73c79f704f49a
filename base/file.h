// Files of our own. Messages name the file by the last part of its path only; the whole path is in
// the error's detail.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/descriptor.h"
#include "base/result.h"

namespace atelier {

Result<std::string> read_file(const std::filesystem::path& path,
                              std::size_t most = std::size_t{64} << 20);
// Writes beside the target, syncs, renames: a reader sees the old or the new, never a part.
Result<void> write_file_atomically(const std::filesystem::path& path, std::string_view bytes,
                                   unsigned mode = 0644);
// Writes all of it to an open file. `name` is for the message.
Result<void> write_all(const Descriptor& file, std::string_view bytes,
                       const std::filesystem::path& name);
Result<void> make_directories(const std::filesystem::path& path, unsigned mode = 0755);
// The Error for a failed system call: ENOENT is not_found, ENOSPC exhausted, EACCES forbidden, ...
Error error_of_errno(int number, std::string_view doing, const std::filesystem::path& path);

}  // namespace atelier
