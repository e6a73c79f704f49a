// Inside the process driver: files below a folder that a hostile program may write to at the same
// time. No call follows a symbolic link below `base`, or waits for a pipe (see base/folder.h).
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/descriptor.h"
#include "base/result.h"
#include "drivers/trees/tree.h"

namespace atelier::drivers {

// A folder by its path relative to `base`; empty: base itself. Missing ones are made (0755).
Result<Descriptor> open_folder_below(const std::filesystem::path& base, std::string_view relative);
// Writes the files of a tree below a folder, replacing what is in their places.
Result<void> write_tree_below(const Descriptor& folder, const Tree& tree);
// Makes `relative` below `base` a link to `target`, in the place of a link or an empty folder that
// is there. conflict when it is something else.
Result<void> link_below(const std::filesystem::path& base, std::string_view relative,
                        const std::filesystem::path& target);
// The folders in a folder, sorted.
std::vector<std::filesystem::path> folders_in(const std::filesystem::path& folder);
// The last part of a file: at most `most` bytes.
Result<std::string> read_end(const std::filesystem::path& file, std::int64_t most);
// The last lines of a text; one that has no end yet counts.
std::string last_lines_of(const std::string& text, std::size_t lines);
// Gives the disk of all but about the newest `most` bytes of a file back, while another process
// appends to it. `file` is open for reading and appending.
void give_up_beginning(int file, std::int64_t most);

}  // namespace atelier::drivers
