#include "templates/tree_files.h"

#include <fmt/format.h>

#include <deque>

#include "base/text.h"

namespace atelier::templates {
namespace {

constexpr int most_links = 40;  // as Linux follows in one path

std::string join_path(const std::string& folder, const std::string& name) {
    return folder.empty() ? name : folder + "/" + name;
}

class TreeFiles final : public TemplateFiles {
  public:
    TreeFiles(drivers::TreePtr tree, const FileLimits& limits)
        : tree_(std::move(tree)), limits_(limits) {}

    Result<std::string> read(const std::string& path) override {
        const std::string real = TRY(resolve(path));
        if (is_env_file(real) && !is_env_file(path)) return refused_env_file();
        const auto file = tree_->find(real);
        if (file == tree_->end()) {
            if (is_folder(real)) return Error{Code::invalid, "it is a folder, not a file"};
            return Error{Code::not_found, "there is no such file"};
        }
        if (static_cast<std::int64_t>(file->second.bytes.size()) > limits_.file_bytes) {
            return too_large(path);
        }
        return file->second.bytes;
    }

    Result<drivers::Tree> folder(const std::string& path) override {
        Walk walk;
        TRY(collect(path, "", 0, walk));
        return std::move(walk.out);
    }

  private:
    struct Walk {
        drivers::Tree out;
        std::int64_t bytes = 0;
        int folders = 0;  // bounded, because links can lead to the same folder many times
    };

    bool is_folder(const std::string& path) const {
        if (path.empty()) return true;
        const auto next = tree_->lower_bound(path + "/");
        return next != tree_->end() && next->first.starts_with(path + "/");
    }

    Error too_large(const std::string& path) const {
        return {Code::too_large,
                fmt::format("{} is larger than {} bytes", path, limits_.file_bytes)};
    }

    Error leads_out() const {
        return {Code::forbidden, fmt::format("a symbolic link leads out of the {}", limits_.what)};
    }

    // The path with every link on its way replaced by what it points to.
    Result<std::string> resolve(const std::string& path) const {
        std::deque<std::string> ahead;
        for (std::string& part : split(path, '/')) ahead.push_back(std::move(part));
        std::string at;
        int links = 0;
        while (!ahead.empty()) {
            const std::string part = std::move(ahead.front());
            ahead.pop_front();
            if (part.empty() || part == ".") continue;
            if (part == "..") {
                if (at.empty()) return leads_out();
                const std::size_t slash = at.rfind('/');
                at.resize(slash == std::string::npos ? 0 : slash);
                continue;
            }
            const std::string next = join_path(at, part);
            const auto entry = tree_->find(next);
            if (entry == tree_->end() || entry->second.kind != drivers::File::Kind::symlink) {
                at = next;
                continue;
            }
            if (++links > most_links) {
                return Error{Code::invalid, "too many symbolic links, or a loop of them"};
            }
            const std::string& target = entry->second.bytes;
            if (target.starts_with('/')) return leads_out();
            const auto parts = split(target, '/');
            ahead.insert(ahead.begin(), parts.begin(), parts.end());
        }
        return at;
    }

    Result<void> collect(const std::string& path, const std::string& below, int depth,
                         Walk& walk) const {
        if (depth > most_links || ++walk.folders > most_folders) {
            return Error{Code::invalid, "too many symbolic links, or a loop of them"};
        }
        const std::string real = TRY(resolve(path));
        if (!is_folder(real)) {
            if (tree_->contains(real)) return Error{Code::invalid, "it is a file, not a folder"};
            return Error{Code::not_found, "there is no such folder"};
        }
        const std::string prefix = real.empty() ? "" : real + "/";
        for (auto it = tree_->lower_bound(prefix);
             it != tree_->end() && it->first.starts_with(prefix); ++it) {
            const std::string rest = it->first.substr(prefix.size());
            if (rest.starts_with(".git/") || rest.find("/.git/") != std::string::npos) continue;
            const std::string name = join_path(below, rest);
            const drivers::File* file = &it->second;
            if (file->kind == drivers::File::Kind::symlink) {
                const auto target = resolve(it->first);
                if (!target) {
                    if (target.error().code != Code::forbidden) {
                        return target.error().in(fmt::format("the symbolic link {}", name));
                    }
                    return Error{Code::forbidden,
                                 fmt::format("the symbolic link {} leads out of the {}", name,
                                             limits_.what)};
                }
                if (is_folder(*target)) {
                    TRY(collect(*target, name, depth + 1, walk));
                    continue;
                }
                const auto found = tree_->find(*target);
                if (found == tree_->end()) {
                    return Error{Code::not_found,
                                 fmt::format("the symbolic link {} points to nothing", name)};
                }
                if (is_env_file(*target) && !is_env_file(name)) {
                    return refused_env_file().in(fmt::format("the symbolic link {}", name));
                }
                file = &found->second;
            }
            TRY(add(name, *file, walk));
        }
        return {};
    }

    Result<void> add(const std::string& name, const drivers::File& file, Walk& walk) const {
        const auto size = static_cast<std::int64_t>(file.bytes.size());
        if (size > limits_.file_bytes) return too_large(name);
        walk.bytes += size;
        if (walk.bytes > limits_.folder_bytes ||
            static_cast<std::int64_t>(walk.out.size()) >= limits_.folder_files) {
            return Error{Code::too_large,
                         fmt::format("the folder has more than {} files or {} bytes",
                                     limits_.folder_files, limits_.folder_bytes)};
        }
        walk.out.emplace(name, file);
        return {};
    }

    drivers::TreePtr tree_;
    FileLimits limits_;
};

}  // namespace

std::unique_ptr<TemplateFiles> files_of_tree(drivers::TreePtr tree, const FileLimits& limits) {
    return std::make_unique<TreeFiles>(std::move(tree), limits);
}

}  // namespace atelier::templates
