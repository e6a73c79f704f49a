#include "templates/directory_files.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/file.h"

namespace atelier::templates {
namespace {

namespace fs = std::filesystem;

constexpr int deepest_folder = 40;

bool is_within(const fs::path& path, const fs::path& folder) {
    const auto [at, unused] = std::mismatch(folder.begin(), folder.end(), path.begin(), path.end());
    return at == folder.end();
}

class DirectoryFiles final : public TemplateFiles {
  public:
    DirectoryFiles(fs::path root, const fs::path& boundary, const FileLimits& limits)
        : root_(std::move(root)), limits_(limits) {
        std::error_code ignored;
        boundary_ = fs::canonical(boundary, ignored);
    }

    Result<std::string> read(const std::string& path) override {
        const fs::path file = root_ / path;
        std::error_code error;
        const auto status = fs::status(file, error);
        if (status.type() == fs::file_type::not_found) {
            return Error{Code::not_found, "there is no such file"};
        }
        if (error) return failed(error, "cannot read the attributes of", file);
        const fs::path real = fs::canonical(file, error);
        if (error) return failed(error, "cannot resolve", file);
        if (is_env_file(real.string()) && !is_env_file(path)) return refused_env_file();
        return read_regular(file, status, path);
    }

    Result<drivers::Tree> folder(const std::string& path) override {
        std::error_code error;
        const fs::path base = fs::canonical(root_ / path, error);
        if (error == std::errc::no_such_file_or_directory) {
            return Error{Code::not_found, "there is no such folder"};
        }
        if (error) return failed(error, "cannot resolve", root_ / path);
        if (!fs::is_directory(base, error)) {
            return Error{Code::invalid, "it is a file, not a folder"};
        }
        Walk walk;
        TRY(collect(base, base, "", 0, walk));
        return std::move(walk.out);
    }

  private:
    struct Walk {
        drivers::Tree out;
        std::int64_t bytes = 0;
        int folders = 0;  // bounded, because links can lead to the same folder many times
    };

    // Code::forbidden means a link that leads out of the template; a file without permission is
    // unavailable instead.
    static Error failed(const std::error_code& error, std::string_view doing,
                        const fs::path& path) {
        Error out = error_of_errno(error.value(), doing, path);
        if (out.code == Code::forbidden) out.code = Code::unavailable;
        return out;
    }

    Result<std::string> read_regular(const fs::path& file, const fs::file_status& status,
                                     const std::string& name) const {
        if (status.type() == fs::file_type::directory) {
            return Error{Code::invalid, "it is a folder, not a file"};
        }
        if (status.type() != fs::file_type::regular) {
            return Error{Code::invalid, fmt::format("{} is not a regular file", name)};
        }
        std::error_code error;
        const auto size = fs::file_size(file, error);
        if (error) return failed(error, "cannot read the attributes of", file);
        if (size > static_cast<std::uintmax_t>(limits_.file_bytes)) {
            return Error{Code::too_large,
                         fmt::format("{} is larger than {} bytes", name, limits_.file_bytes)};
        }
        auto bytes = read_file(file, static_cast<std::size_t>(limits_.file_bytes));
        if (!bytes && bytes.error().code == Code::forbidden) {
            Error refused = bytes.error();
            refused.code = Code::unavailable;
            return refused;
        }
        return bytes;
    }

    // `base` is the folder that is delivered, `at` the one below it that is walked; both canonical.
    Result<void> collect(const fs::path& base, const fs::path& at, const std::string& below,
                         int depth, Walk& walk) const {
        if (depth > deepest_folder || ++walk.folders > most_folders) {
            return Error{Code::invalid,
                         "folders are nested too deep, or a symbolic link makes a loop"};
        }
        std::error_code error;
        fs::directory_iterator entries(at, error);
        if (error) return failed(error, "cannot list", at);
        for (; entries != fs::directory_iterator(); entries.increment(error)) {
            if (error) return failed(error, "cannot list", at);
            const std::string last = entries->path().filename().string();
            if (last == ".git") continue;
            const std::string name = below.empty() ? last : below + "/" + last;
            const fs::path target = fs::canonical(entries->path(), error);
            if (error) {
                return Error{Code::not_found,
                             fmt::format("the symbolic link {} points to nothing", name)};
            }
            if (!is_within(target, base) && !(is_within(target, boundary_) && !boundary_.empty()) &&
                !is_within(target, at)) {
                return Error{Code::forbidden,
                             fmt::format("the symbolic link {} leads out of the template", name)};
            }
            if (is_env_file(target.string()) && !is_env_file(name) &&
                !fs::is_directory(target, error)) {
                return refused_env_file().in(fmt::format("the symbolic link {}", name));
            }
            TRY(add(base, target, name, depth, walk));
        }
        return {};
    }

    Result<void> add(const fs::path& base, const fs::path& target, const std::string& name,
                     int depth, Walk& walk) const {
        std::error_code error;
        const auto status = fs::status(target, error);
        if (error) return failed(error, "cannot read the attributes of", target);
        if (status.type() == fs::file_type::directory) {
            return collect(base, target, name, depth + 1, walk);
        }
        drivers::File file;
        file.bytes = TRY(read_regular(target, status, name));
        file.executable = (status.permissions() & fs::perms::owner_exec) != fs::perms::none;
        walk.bytes += static_cast<std::int64_t>(file.bytes.size());
        if (walk.bytes > limits_.folder_bytes ||
            static_cast<std::int64_t>(walk.out.size()) >= limits_.folder_files) {
            return Error{Code::too_large,
                         fmt::format("the folder has more than {} files or {} bytes",
                                     limits_.folder_files, limits_.folder_bytes)};
        }
        walk.out.emplace(name, std::move(file));
        return {};
    }

    fs::path root_;
    fs::path boundary_;
    FileLimits limits_;
};

}  // namespace

std::unique_ptr<TemplateFiles> files_of_directory(const fs::path& root, const fs::path& boundary,
                                                  const FileLimits& limits) {
    return std::make_unique<DirectoryFiles>(root, boundary, limits);
}

}  // namespace atelier::templates
