#include "agent/plugins.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>

#include "base/text.h"
#include "base/tree_digest.h"

namespace atelier::agent {
namespace {

constexpr std::string_view marker_name = ".complete";
constexpr std::string_view skills_folder = "skills/";

// "skills/review/SKILL.md" belongs to the skill "review" as "SKILL.md".
void keep_skill(const std::string& path, FolderFile&& file, Plugin& plugin) {
    if (!path.starts_with(skills_folder)) return;
    const std::size_t end = path.find('/', skills_folder.size());
    if (end == std::string::npos) return;
    const std::string skill = path.substr(skills_folder.size(), end - skills_folder.size());
    const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20; };
    if (skill.starts_with('.') || std::any_of(skill.begin(), skill.end(), is_control)) return;
    plugin.skills[skill].insert_or_assign(path.substr(end + 1), std::move(file));
}

Result<Plugin> load(const Descriptor& parent, const std::string& name) {
    const Descriptor folder = TRY(open_folder_at(parent, name));
    auto marker = read_file_at(folder, std::string(marker_name), 4096);
    if (!marker && marker.error().code == Code::not_found) {
        return Error{Code::unavailable, "it is not complete: it has no marker"};
    }
    if (!marker) return marker.error();

    Plugin plugin;
    plugin.name = name;
    std::map<std::string, std::pair<std::string, bool>> entries;  // in the order of a digest
    const auto visit = [&](const std::string& path, FolderFile&& file) -> Result<void> {
        if (path == marker_name) return {};
        entries.insert_or_assign(path, std::pair(sha256_hex(file.bytes), file.executable));
        keep_skill(path, std::move(file), plugin);
        return {};
    };
    TRY(walk_files(folder, {}, visit));
    TreeDigest sum;
    for (const auto& [path, entry] : entries) sum.add(path, entry.first, entry.second);
    plugin.digest = sum.hex();
    if (trim(marker->bytes) != plugin.digest) {
        return Error{Code::conflict, "its files are not those that its marker names"};
    }
    return plugin;
}

// The folder itself may be a link, which is how the process runtime mounts it. Its content may not.
Result<Descriptor> open_mounted(const std::filesystem::path& folder) {
    return open_folder((folder / ".").string());
}

}  // namespace

Loaded load_plugins(const std::filesystem::path& folder) {
    Loaded loaded;
    const auto parent = open_mounted(folder);
    if (!parent) {
        // Before the first install there is no folder: nothing is wrong then.
        if (parent.error().code != Code::not_found) {
            loaded.problems.push_back({"plugins", parent.error().message});
        }
        return loaded;
    }
    const auto entries = entries_of(*parent);
    if (!entries) {
        loaded.problems.push_back({"plugins", entries.error().message});
        return loaded;
    }
    for (const FolderEntry& entry : *entries) {
        if (entry.name.starts_with('.')) continue;
        auto plugin = load(*parent, entry.name);
        if (plugin) {
            loaded.plugins.push_back(std::move(*plugin));
        } else {
            loaded.problems.push_back({entry.name, plugin.error().message});
        }
    }
    return loaded;
}

std::string fingerprint(const std::filesystem::path& folder) {
    const auto parent = open_mounted(folder);
    if (!parent) return std::string(name_of(parent.error().code));
    const auto entries = entries_of(*parent);
    if (!entries) return std::string(name_of(entries.error().code));
    std::string print;
    for (const FolderEntry& entry : *entries) {
        if (entry.name.starts_with('.')) continue;
        print += entry.name;
        for (const std::string& path : {entry.name, entry.name + "/" + std::string(marker_name)}) {
            struct stat status {};
            if (fstatat(parent->get(), path.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) continue;
            print += ' ' + std::to_string(status.st_ino) + '.' +
                     std::to_string(status.st_ctim.tv_sec) + '.' +
                     std::to_string(status.st_ctim.tv_nsec);
        }
        print += '\n';
    }
    return print;
}

}  // namespace atelier::agent
