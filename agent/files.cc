#include "agent/files.h"

#include <fcntl.h>
#include <unistd.h>

#include <set>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/folder.h"
#include "base/text.h"

namespace atelier::agent {
namespace {

constexpr const char* declared_name = ".atelier-files";
constexpr const char* applied_name = ".atelier-files.applied";
constexpr std::size_t longest_list = 8 << 20;

std::set<std::string> lines(const std::string& text) {
    std::set<std::string> out;
    for (std::string& line : split(text, '\n')) {
        // The workspace can write to the list: a path that leads elsewhere is left out.
        if (is_safe_relative_path(line)) out.insert(std::move(line));
    }
    return out;
}

Result<void> remove_file(const Descriptor& root, const std::string& path) {
    std::vector<std::string> parts = split(path, '/');
    const std::string name = parts.back();
    parts.pop_back();
    std::vector<Descriptor> folders;
    folders.push_back(TRY(open_folder_at(root, ".")));
    for (const std::string& part : parts) {
        auto inner = open_folder_at(folders.back(), part);
        if (!inner) return {};  // the folder is gone, or something else is in its place
        folders.push_back(std::move(*inner));
    }
    if (unlinkat(folders.back().get(), name.c_str(), 0) != 0) return {};
    for (std::size_t i = parts.size(); i > 0; --i) {
        if (unlinkat(folders[i - 1].get(), parts[i - 1].c_str(), AT_REMOVEDIR) != 0) break;
    }
    return {};
}

}  // namespace

Result<void> remove_stale_files(const std::filesystem::path& configs) {
    auto opened = open_folder((configs / ".").string());
    if (!opened && opened.error().code == Code::not_found) return {};
    const Descriptor root = TRY(std::move(opened));
    const auto declared = read_file_at(root, declared_name, longest_list);
    if (!declared && declared.error().code == Code::not_found) return {};
    if (!declared) return declared.error();
    const std::set<std::string> kept = lines(declared->bytes);
    const auto applied = read_file_at(root, applied_name, longest_list);
    if (applied && applied->bytes == declared->bytes) return {};
    if (applied) {
        for (const std::string& path : lines(applied->bytes)) {
            if (!kept.contains(path)) TRY(remove_file(root, path));
        }
    }
    return replace_file_at(root, applied_name, declared->bytes, 0644);
}

}  // namespace atelier::agent
