#include "drivers/host_folders.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <compare>
#include <set>

namespace atelier::drivers {
namespace {

namespace fs = std::filesystem;

struct FolderId {
    dev_t device = 0;
    ino_t inode = 0;
    auto operator<=>(const FolderId&) const = default;
};
using FolderIds = std::set<FolderId>;

// Adds the folder, following links. Nothing for one that does not exist.
void add(const fs::path& folder, FolderIds& ids) {
    struct stat found = {};
    if (stat(folder.c_str(), &found) == 0) ids.insert({found.st_dev, found.st_ino});
}

// The folder and every folder above it. `canonical` has no links, so its text parents are the real
// ones.
FolderIds with_parents(const fs::path& canonical) {
    FolderIds ids;
    for (fs::path at = canonical;; at = at.parent_path()) {
        add(at, ids);
        if (at == at.root_path()) return ids;
    }
}

bool have_common(const FolderIds& a, const FolderIds& b) {
    return std::any_of(a.begin(), a.end(), [&](const FolderId& id) { return b.contains(id); });
}

// The home and what stands directly in it: a bind mount of its keys alone has not the home above
// it.
FolderIds ids_of_home(const fs::path& home) {
    FolderIds ids;
    add(home, ids);
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(home, ignored)) {
        if (entry.is_directory(ignored)) add(entry.path(), ids);
    }
    return ids;
}

}  // namespace

Result<std::string> HostFolders::check(const fs::path& folder) const {
    std::error_code error;
    const fs::path real = fs::canonical(folder, error);
    if (error == std::errc::no_such_file_or_directory) {
        return Error{Code::not_found,
                     fmt::format("there is no folder {} on the server's machine", folder.string())};
    }
    if (error) {
        return Error{Code::unavailable,
                     fmt::format("cannot resolve {}: {}", folder.string(), error.message())};
    }
    if (!fs::is_directory(real, error)) {
        return Error{Code::invalid, fmt::format("{} is no folder", folder.string())};
    }
    const FolderIds above = with_parents(real);
    FolderIds allowed;
    for (const fs::path& one : allowed_) add(one, allowed);
    if (!have_common(above, allowed)) {
        return Error{
            Code::forbidden,
            fmt::format("the server allows no workspace to mount {}: its operator can, with "
                        "--host-folder",
                        folder.string())};
    }
    const fs::path home = fs::canonical(home_, error);
    FolderIds self;
    add(real, self);
    if (error || have_common(above, ids_of_home(home)) || have_common(self, with_parents(home))) {
        return Error{
            Code::forbidden,
            fmt::format("no workspace may mount {}: the server's own folder, with its keys, "
                        "is there",
                        folder.string())};
    }
    return real.string();
}

}  // namespace atelier::drivers
