#include "drivers/process/inside.h"

#include <algorithm>

#include "base/file.h"
#include "drivers/process/files.h"
#include "drivers/runtime_names.h"

namespace atelier::drivers {

namespace fs = std::filesystem;

namespace {

std::map<std::string, std::string> environment_of(const ProcessOptions& options,
                                                  const ProcessRecord& record) {
    const fs::path root = unit_folder(options, record.name) / "root";
    const std::vector<Mount> mounts = mounts_of(record);
    std::map<std::string, std::string> env{{"PATH", options.path}, {"HOME", root}};
    for (const auto& [name, value] : options.env) env[name] = value;
    for (const auto& [name, target] : options.mount_variables) {
        if (mount_of_path(mounts, target)) env[name] = target;
    }
    if (record.env) {
        for (const auto& [name, value] : *record.env) env[name] = value;
    }
    for (auto& [name, value] : env) {
        if (value.starts_with('/') && mount_of_path(mounts, value)) value = root.string() + value;
    }
    env["ATELIER_ROOT"] = root;
    env["ATELIER_UNIT"] = record.id;
    return env;
}

}  // namespace

fs::path unit_folder(const ProcessOptions& options, const std::string& name) {
    return options.root / "units" / name;
}

fs::path volume_folder(const ProcessOptions& options, const std::string& name) {
    return options.root / "volumes" / name;
}

UnitView view_of(const ProcessOptions& options, const ProcessRecord& record) {
    return {record.name, unit_folder(options, record.name) / "root", mounts_of(record),
            environment_of(options, record)};
}

std::string_view without_slash(std::string_view path) {
    while (path.starts_with('/')) path.remove_prefix(1);
    return path;
}

fs::path source_of(const ProcessOptions& options, const Mount& mount, const fs::path& root) {
    switch (mount.kind) {
        case Mount::Kind::volume:
            return volume_folder(options, mount.source) / "data";
        case Mount::Kind::host:
            return mount.source;
        case Mount::Kind::tmpfs:
            break;
    }
    return root.parent_path() / "tmpfs" / without_slash(mount.target);
}

Result<void> make_mounts(const ProcessOptions& options, const UnitView& view) {
    std::vector<Mount> mounts = view.mounts;
    // A mount below another one is a link inside it: the outer one must be there first.
    std::sort(mounts.begin(), mounts.end(),
              [](const Mount& a, const Mount& b) { return a.target.size() < b.target.size(); });
    std::error_code ignored;
    fs::remove_all(view.root.parent_path() / "tmpfs", ignored);
    std::vector<Mount> outer;
    for (const Mount& mount : mounts) {
        const fs::path source = source_of(options, mount, view.root);
        if (mount.kind == Mount::Kind::tmpfs) TRY(make_directories(source));
        const Mount* holder = mount_of_path(outer, mount.target);
        const fs::path base = holder ? source_of(options, *holder, view.root) : view.root;
        const std::size_t cut = holder ? holder->target.size() : 0;
        TRY(link_below(base, without_slash(std::string_view(mount.target).substr(cut)), source));
        outer.push_back(mount);
    }
    return {};
}

std::vector<std::string> rewritten(const std::vector<std::string>& command, const UnitView& view) {
    std::vector<std::string> words = command;
    for (std::string& word : words) {
        if (word.starts_with('/') && mount_of_path(view.mounts, word)) {
            word = view.root.string() + word;
        }
    }
    return words;
}

}  // namespace atelier::drivers
