// What a unit that is a process sees: its mounts, its environment, files and commands put inside.
#include <algorithm>

#include "base/file.h"
#include "drivers/process/files.h"
#include "drivers/process/runtime.h"

namespace atelier::drivers {

namespace {

namespace fs = std::filesystem;
using Phase = ProcessRecord::Phase;

constexpr std::size_t most_output = std::size_t{5} << 20;

std::string_view without_slash(std::string_view path) {
    while (path.starts_with('/')) path.remove_prefix(1);
    return path;
}

}  // namespace

std::vector<Mount> mounts_of(const ProcessRecord& record) {
    std::vector<Mount> mounts;
    for (const auto& where : record.mounts) {
        mounts.push_back({where.kind, where.source, where.target, where.read_only});
    }
    return mounts;
}

fs::path ProcessRuntime::source_of(const Mount& mount, const fs::path& root) const {
    switch (mount.kind) {
        case Mount::Kind::volume:
            return volume_folder(mount.source) / "data";
        case Mount::Kind::host:
            return mount.source;
        case Mount::Kind::tmpfs:
            break;
    }
    return root.parent_path() / "tmpfs" / without_slash(mount.target);
}

Result<void> ProcessRuntime::make_mounts(const View& view) const {
    std::vector<Mount> mounts = view.mounts;
    // A mount below another one is a link inside it: the outer one must be there first.
    std::sort(mounts.begin(), mounts.end(),
              [](const Mount& a, const Mount& b) { return a.target.size() < b.target.size(); });
    std::error_code ignored;
    fs::remove_all(view.root.parent_path() / "tmpfs", ignored);
    std::vector<Mount> outer;
    for (const Mount& mount : mounts) {
        const fs::path source = source_of(mount, view.root);
        if (mount.kind == Mount::Kind::tmpfs) TRY(make_directories(source));
        const Mount* holder = mount_of_path(outer, mount.target);
        const fs::path base = holder ? source_of(*holder, view.root) : view.root;
        const std::size_t cut = holder ? holder->target.size() : 0;
        TRY(link_below(base, without_slash(std::string_view(mount.target).substr(cut)), source));
        outer.push_back(mount);
    }
    return {};
}

std::vector<std::string> ProcessRuntime::rewritten(const std::vector<std::string>& command,
                                                   const std::vector<Mount>& mounts,
                                                   const fs::path& root) const {
    std::vector<std::string> words = command;
    for (std::string& word : words) {
        if (word.starts_with('/') && mount_of_path(mounts, word)) word = root.string() + word;
    }
    return words;
}

std::map<std::string, std::string> ProcessRuntime::environment_of(
    const ProcessRecord& record) const {
    const fs::path root = unit_folder(record.name) / "root";
    const std::vector<Mount> mounts = mounts_of(record);
    std::map<std::string, std::string> env{{"PATH", options_.path}, {"HOME", root}};
    for (const auto& [name, value] : options_.env) env[name] = value;
    for (const auto& [name, target] : options_.mount_variables) {
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

ProcessRuntime::View ProcessRuntime::view_of(const ProcessRecord& record) const {
    return {record.name, unit_folder(record.name) / "root", mounts_of(record),
            environment_of(record)};
}

// --- files and commands --------------------------------------------------------------------

Result<void> ProcessRuntime::upload(const std::string& id, const std::string& folder,
                                    const Tree& tree, int, int) {
    View view;
    {
        const std::lock_guard lock(mutex_);
        view = view_of(TRY(held(id))->record);
    }
    const std::string plain = TRY(plain_folder(folder));
    const Mount* mount = mount_of_path(view.mounts, plain);
    if (mount && mount->read_only) {
        return Error{Code::forbidden,
                     "folder \"" + folder + "\" of unit \"" + view.name + "\" is read-only"};
    }
    if (mount && mount->kind == Mount::Kind::tmpfs) {
        return Error{Code::unsupported, "no upload is possible to a folder in memory"};
    }
    const fs::path base = mount ? source_of(*mount, view.root) : view.root;
    const std::string_view below =
        without_slash(std::string_view(plain).substr(mount ? mount->target.size() : 0));
    const Descriptor to = TRY(open_folder_below(base, below));
    return write_tree_below(to, tree);
}

Result<ExecResult> ProcessRuntime::exec(const std::string& id,
                                        const std::vector<std::string>& command,
                                        Duration deadline) {
    View view;
    {
        const std::lock_guard lock(mutex_);
        const Held* unit = TRY(held(id));
        if (unit->record.phase != Phase::running) {
            return Error{Code::conflict, "unit \"" + unit->record.name + "\" does not run"};
        }
        view = view_of(unit->record);
    }
    if (command.empty() || command[0].empty()) {
        return Error{Code::invalid, "the command is empty"};
    }
    return run_to_end({rewritten(command, view.mounts, view.root), view.env, view.root}, deadline,
                      most_output);
}

}  // namespace atelier::drivers
