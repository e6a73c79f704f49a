#include "agent/skills.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <set>

#include "base/file.h"
#include "base/text.h"

namespace atelier::agent {
namespace {

constexpr std::string_view record_name = ".atelier";
constexpr std::string_view fresh_name = ".atelier.fresh";
constexpr std::string_view old_name = ".atelier.old";

Result<void> write_file_below(const Descriptor& root, const std::string& path,
                              const FolderFile& file) {
    const std::size_t slash = path.rfind('/');
    const bool nested = slash != std::string::npos;
    const Descriptor folder =
        TRY(make_folder_below(root, nested ? path.substr(0, slash) : "", 0755));
    TRY(create_file_at(folder, nested ? path.substr(slash + 1) : path, file.bytes,
                       file.executable ? 0755 : 0644));
    return {};
}

// True when the folder holds exactly these files.
bool holds(const Descriptor& parent, const std::string& name, const Files& files) {
    const auto folder = open_folder_at(parent, name);
    if (!folder) return false;
    std::size_t seen = 0;
    const auto same =
        walk_files(*folder, {}, [&](const std::string& path, FolderFile&& file) -> Result<void> {
            const auto wanted = files.find(path);
            if (wanted == files.end() || wanted->second.bytes != file.bytes ||
                wanted->second.executable != file.executable) {
                return Error{Code::conflict, "differs"};
            }
            ++seen;
            return {};
        });
    return same && seen == files.size();
}

// Puts the copy in place by renames; a reader meets the old one or the new one.
Result<void> replace(const Descriptor& parent, const std::string& name, const Files& files) {
    const std::string fresh(fresh_name);
    const std::string old(old_name);
    TRY(remove_at(parent, fresh));
    TRY(remove_at(parent, old));
    {
        const Descriptor folder = TRY(make_folder_at(parent, fresh, 0755));
        for (const auto& [path, file] : files) TRY(write_file_below(folder, path, file));
    }
    if (renameat2(parent.get(), fresh.c_str(), parent.get(), name.c_str(), RENAME_EXCHANGE) == 0) {
        return remove_at(parent, fresh);
    }
    if (errno != ENOENT) {  // a file system without exchange: a short moment without the copy
        if (renameat(parent.get(), name.c_str(), parent.get(), old.c_str()) != 0) {
            return error_of_errno(errno, "cannot replace the skill", name);
        }
    }
    if (renameat(parent.get(), fresh.c_str(), parent.get(), name.c_str()) != 0) {
        return error_of_errno(errno, "cannot put the skill", name);
    }
    return remove_at(parent, old);
}

std::set<std::string> read_record(const Descriptor& folder) {
    std::set<std::string> ours;
    const auto record = read_file_at(folder, std::string(record_name), 1 << 20);
    if (!record) return ours;
    for (const std::string& line : split(record->bytes, '\n')) {
        if (!line.empty() && is_safe_relative_path(line) && line.find('/') == std::string::npos &&
            !line.starts_with('.')) {
            ours.insert(line);
        }
    }
    return ours;
}

// Written before a copy appears and after one is removed: a crash leaves at most a name without a
// copy, which does no harm.
Result<void> write_record(const Descriptor& folder, const std::set<std::string>& ours) {
    std::string text;
    for (const std::string& name : ours) text += name + "\n";
    return replace_file_at(folder, std::string(record_name), text, 0644);
}

}  // namespace

std::vector<Problem> refresh_skills(const std::filesystem::path& folder, const Loaded& loaded) {
    std::vector<Problem> problems;
    std::map<std::string, const Files*> wanted;
    for (const Plugin& plugin : loaded.plugins) {
        for (const auto& [name, files] : plugin.skills) {
            if (!wanted.emplace(name, &files).second) {
                problems.push_back({plugin.name, "another plugin brings the skill \"" + name +
                                                     "\" too and has it"});
            }
        }
    }
    struct stat status {};
    if (wanted.empty() && lstat(folder.c_str(), &status) != 0) return problems;

    const auto failed = [&](const Error& error) {
        problems.push_back({"skills", error.message});
        return problems;
    };
    if (const auto made = make_directories(folder); !made) return failed(made.error());
    const auto parent = open_folder(folder.string());
    if (!parent) return failed(parent.error());

    const std::set<std::string> before = read_record(*parent);
    std::set<std::string> ours = before;
    std::set<std::string> blocked;
    for (const auto& [name, files] : wanted) {
        const bool taken = fstatat(parent->get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;
        if (taken && !ours.contains(name) && !holds(*parent, name, *files)) {
            problems.push_back(
                {"skills", "\"" + name + "\" is there already and is not a plugin's"});
            blocked.insert(name);
        } else {
            ours.insert(name);
        }
    }
    if (ours != before) {
        if (const auto written = write_record(*parent, ours); !written) {
            return failed(written.error());
        }
    }
    for (const auto& [name, files] : wanted) {
        if (blocked.contains(name) || holds(*parent, name, *files)) continue;
        if (const auto put = replace(*parent, name, *files); !put) {
            problems.push_back({"skills", put.error().message});
        }
    }
    std::set<std::string> kept;
    for (const std::string& name : ours) {
        // While a plugin cannot be read, nobody knows which skills it brings: nothing is removed.
        if (wanted.contains(name) || !loaded.problems.empty()) {
            kept.insert(name);
        } else if (const auto removed = remove_at(*parent, name); !removed) {
            problems.push_back({"skills", removed.error().message});
            kept.insert(name);
        }
    }
    if (kept != ours) {
        if (const auto written = write_record(*parent, kept); !written) {
            return failed(written.error());
        }
    }
    return problems;
}

}  // namespace atelier::agent
