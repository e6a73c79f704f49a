// The one way to read and write below a folder that somebody else can write to. Each step is taken
// from the folder that was opened before, symbolic links are never followed, so nothing that
// another process puts in the way leads outside; and no call waits: a pipe, a socket or a device in
// the place of a file is an error. What is read is bounded.
//
// Names are single parts of a path. Errors: not_found; invalid (a link, or not the kind of thing
// that was expected); forbidden; exhausted (the disk is full); too_large.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/descriptor.h"
#include "base/result.h"

namespace atelier {

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

// A folder that must exist and be no link. Of `path` only the last part is checked: what is above
// it must belong to the caller.
Result<Descriptor> open_folder(const std::string& path);
Result<Descriptor> open_folder_at(const Descriptor& parent, const std::string& name);
// As open_folder_at, and makes it when it is absent.
Result<Descriptor> make_folder_at(const Descriptor& parent, const std::string& name, unsigned mode);
// The same for a path of several names below `base` ("a/b"); empty: base itself. invalid when it is
// not a safe relative path.
Result<Descriptor> open_folder_below(const Descriptor& base, std::string_view relative);
Result<Descriptor> make_folder_below(const Descriptor& base, std::string_view relative,
                                     unsigned mode);
// Sorted by name, without "." and "..".
Result<std::vector<FolderEntry>> entries_of(const Descriptor& folder);
Result<FolderFile> read_file_at(const Descriptor& folder, const std::string& name,
                                std::size_t most);
// Opens a regular file. `flags` are those of open(2): at least O_RDONLY, O_WRONLY or O_RDWR.
Result<Descriptor> open_file_at(const Descriptor& folder, const std::string& name, int flags);
// Makes a file that must not exist yet, whatever the umask, and writes it. Yields the open file,
// for its owner or a sync. already_exists.
Result<Descriptor> create_file_at(const Descriptor& folder, const std::string& name,
                                  std::string_view bytes, unsigned mode);
// Writes under a temporary name, syncs, renames: a reader sees the old or the new, never a part. A
// link of that name is replaced; what it leads to is not touched.
Result<void> replace_file_at(const Descriptor& folder, const std::string& name,
                             std::string_view bytes, unsigned mode);

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
