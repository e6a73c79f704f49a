#include "drivers/trees/read_tree.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/file.h"
#include "base/folder.h"
#include "base/text.h"

namespace atelier::drivers {
namespace {

constexpr int deepest = 64;
constexpr std::size_t longest_link = 4096;

class Reader {
  public:
    explicit Reader(const TreeLimits& limits) : limits_(limits) {}

    Result<void> walk(const Descriptor& folder, const std::string& prefix, int depth) {
        if (depth > deepest) {
            return Error{Code::too_large, fmt::format("the folders are deeper than {}", deepest)};
        }
        const std::vector<FolderEntry> entries = TRY(entries_of(folder));
        for (const FolderEntry& entry : entries) {
            if (lower(entry.name) != ".git") TRY(take(folder, entry, prefix + entry.name, depth));
        }
        return {};
    }

    Tree tree;

  private:
    Result<void> take(const Descriptor& folder, const FolderEntry& entry, const std::string& path,
                      int depth) {
        TRY(check_tree_path(path));
        if (entry.kind == FolderEntry::Kind::folder) {
            const Descriptor inner = TRY(open_folder_at(folder, entry.name));
            return walk(inner, path + "/", depth + 1);
        }
        if (static_cast<std::int64_t>(tree.size()) >= limits_.files) {
            return Error{Code::too_large,
                         fmt::format("the folder has more than {} files", limits_.files)};
        }
        if (entry.kind == FolderEntry::Kind::link) return take_link(folder, entry.name, path);
        if (entry.kind == FolderEntry::Kind::file) return take_file(folder, entry.name, path);
        return Error{Code::invalid, fmt::format("\"{}\" is neither a file nor a folder", path)};
    }

    Result<void> take_link(const Descriptor& folder, const std::string& name,
                           const std::string& path) {
        std::array<char, longest_link> target{};
        const ssize_t n = readlinkat(folder.get(), name.c_str(), target.data(), target.size());
        if (n < 0) return error_of_errno(errno, "cannot read", path);
        tree[path] = {File::Kind::symlink, false,
                      std::string(target.data(), static_cast<std::size_t>(n))};
        return {};
    }

    Result<void> take_file(const Descriptor& folder, const std::string& name,
                           const std::string& path) {
        auto file = read_file_at(folder, name, static_cast<std::size_t>(left_));
        if (!file && file.error().code == Code::too_large) {
            return Error{
                Code::too_large,
                fmt::format("the files of the folder have more than {} bytes", limits_.bytes)};
        }
        if (!file) return std::move(file).error();
        left_ -= static_cast<std::int64_t>(file->bytes.size());
        tree[path] = {File::Kind::regular, file->executable, std::move(file->bytes)};
        return {};
    }

    const TreeLimits& limits_;
    std::int64_t left_ = limits_.bytes;
};

}  // namespace

Result<Tree> read_tree(const std::filesystem::path& folder, const TreeLimits& limits) {
    // The folder itself may be given by a link; what is below it may not.
    std::error_code code;
    const auto real = std::filesystem::canonical(folder, code);
    if (code) return error_of_errno(code.value(), "cannot read the folder", folder);
    const Descriptor opened = TRY(open_folder(real.string()));
    Reader reader(limits);
    TRY(reader.walk(opened, "", 0));
    return std::move(reader.tree);
}

}  // namespace atelier::drivers
