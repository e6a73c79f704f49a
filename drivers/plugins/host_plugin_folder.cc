// Every step goes through base/folder.h, so that nothing which a workspace or anybody else plants
// among the plugins leads outside or makes the server wait.
#include "drivers/plugins/host_plugin_folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "base/digest.h"
#include "base/file.h"
#include "base/folder.h"
#include "base/text.h"

namespace atelier::drivers {
namespace {

constexpr const char* staging_name = ".staging";
constexpr const char* previous_name = ".previous";

Error failed(const std::string& doing, const std::string& name) {
    return error_of_errno(errno, doing, name);
}

class HostPluginFolder final : public PluginFolder {
  public:
    explicit HostPluginFolder(HostPluginFolderOptions options) : options_(std::move(options)) {}

    std::string_view delivery() const override { return "mount"; }
    Result<PluginState> observe(const std::string& name) override;
    Result<std::vector<std::string>> names() override;
    Result<void> stage(const std::string& name, const std::string& stamp,
                       const Tree& tree) override;
    Result<void> swap(const std::string& name, const std::string& stamp) override;
    Result<void> restore(const std::string& name) override;
    Result<void> remove(const std::string& name, const std::string& stamp) override;
    Result<void> collect(const std::string& name) override;
    Result<std::string> agent_status() override {
        const Descriptor run = TRY(open_folder(options_.run.string()));
        return TRY(read_file_at(run, "status.json", most_status)).bytes;
    }

  private:
    void step(std::string_view name) const {
        if (options_.before_step) options_.before_step(name);
    }
    Result<Descriptor> root() const { return open_folder(options_.plugins.string()); }
    Result<void> write(const Descriptor& folder, const Tree& tree) const;
    Result<void> write_file(const Descriptor& folder, const std::string& path,
                            const File& file) const;
    Result<void> mark(const Descriptor& folder, const std::string& digest) const;
    Result<void> replace(const Descriptor& root, const std::string& name, const Descriptor& staging,
                         const std::string& staged, const Descriptor& previous) const;

    const HostPluginFolderOptions options_;
};

Result<Manifest> read_manifest(const Descriptor& folder) {
    std::map<std::string, ManifestEntry> entries;
    const auto visit = [&](const std::string& path, FolderFile&& file) -> Result<void> {
        if (path == plugin_marker) return {};
        entries.emplace(
            path, ManifestEntry{path, sha256_hex(file.bytes),
                                static_cast<std::int64_t>(file.bytes.size()), file.executable});
        return {};
    };
    TRY(walk_files(folder, {}, visit));
    Manifest manifest;
    for (auto& [path, entry] : entries) manifest.push_back(std::move(entry));
    return manifest;
}

std::string read_marker(const Descriptor& folder) {
    const auto marker = read_file_at(folder, std::string(plugin_marker), 4096);
    return marker ? std::string(trim(marker->bytes)) : std::string();
}

Result<std::vector<std::string>> stamps(const Descriptor& root, const char* folder_name,
                                        const std::string& name) {
    std::vector<std::string> found;
    const auto folder = open_folder_at(root, folder_name);
    if (!folder && folder.error().code == Code::not_found) return found;
    if (!folder) return folder.error();
    const std::vector<FolderEntry> entries = TRY(entries_of(*folder));
    for (const FolderEntry& entry : entries) {
        const auto stamped = parse_stamped(entry.name);
        if (stamped && stamped->name == name) found.push_back(stamped->stamp);
    }
    return found;
}

bool exists(const Descriptor& folder, const std::string& name) {
    struct stat status {};
    return fstatat(folder.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;
}

Result<PluginState> HostPluginFolder::observe(const std::string& name) {
    TRY(check_plugin_name(name));
    PluginState state;
    auto parent = root();
    if (!parent && parent.error().code == Code::not_found) return state;
    if (!parent) return std::move(parent).error();
    state.staged = TRY(stamps(*parent, staging_name, name));
    state.previous = TRY(stamps(*parent, previous_name, name));
    state.live = exists(*parent, name);
    if (!state.live) return state;
    const auto folder = open_folder_at(*parent, name);
    if (!folder) {
        state.problem = folder.error().message;
        return state;
    }
    state.marker = read_marker(*folder);
    auto manifest = read_manifest(*folder);
    if (manifest) {
        state.manifest = std::move(*manifest);
    } else {
        state.problem = manifest.error().message;
    }
    return state;
}

Result<std::vector<std::string>> HostPluginFolder::names() {
    std::vector<std::string> found;
    auto parent = root();
    if (!parent && parent.error().code == Code::not_found) return found;
    if (!parent) return std::move(parent).error();
    const std::vector<FolderEntry> entries = TRY(entries_of(*parent));
    for (const FolderEntry& entry : entries) {
        if (!entry.name.starts_with('.')) found.push_back(entry.name);
    }
    return found;
}

Result<void> HostPluginFolder::write_file(const Descriptor& folder, const std::string& path,
                                          const File& file) const {
    const std::vector<std::string> parts = split(path, '/');
    Descriptor parent = TRY(open_folder_at(folder, "."));
    for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
        parent = TRY(make_folder_at(parent, parts[i], 0755));
        TRY(give_to_plugin_owner(parent, parts[i]));
    }
    const Descriptor out =
        TRY(create_file_at(parent, parts.back(), file.bytes, file.executable ? 0755 : 0644));
    return give_to_plugin_owner(out, path);
}

Result<void> HostPluginFolder::write(const Descriptor& folder, const Tree& tree) const {
    for (const auto& [path, file] : tree) TRY(write_file(folder, path, file));
    return {};
}

Result<void> HostPluginFolder::mark(const Descriptor& folder, const std::string& digest) const {
    File marker;
    marker.bytes = digest + "\n";
    TRY(write_file(folder, std::string(plugin_marker), marker));
    const Descriptor file = TRY(open_file_at(folder, std::string(plugin_marker), O_RDONLY));
    if (fsync(file.get()) != 0 || fsync(folder.get()) != 0) {
        return failed("cannot write", std::string(plugin_marker));
    }
    return {};
}

Result<void> HostPluginFolder::stage(const std::string& name, const std::string& stamp,
                                     const Tree& tree) {
    TRY(check_plugin_name(name));
    TRY(check_stamp(stamp));
    const Tree content = TRY(deliverable(tree));
    const std::string digest = digest_of(manifest_of(content));
    TRY(make_directories(options_.plugins));
    const Descriptor parent = TRY(root());
    step("make staging");
    const Descriptor staging = TRY(make_folder_at(parent, staging_name, 0755));
    const std::string staged = name + "." + stamp;
    TRY(remove_at(staging, staged));
    const Descriptor folder = TRY(make_folder_at(staging, staged, 0755));
    step("write");
    TRY(write(folder, content));
    TRY(give_to_plugin_owner(folder, staged));
    step("verify");
    if (digest_of(TRY(read_manifest(folder))) != digest) {
        return Error{Code::conflict, "what was written is not what is there: \"" + name + "\""};
    }
    step("sync");
    // Everything is on disk before the marker says so.
    if (syncfs(folder.get()) != 0) return failed("cannot write", staged);
    step("mark");
    return mark(folder, digest);
}

// With an exchange readers always find a live tree. Without it there is a moment when they do not,
// and a crash there leaves the old one as a previous one, for restore().
Result<void> HostPluginFolder::replace(const Descriptor& parent, const std::string& name,
                                       const Descriptor& staging, const std::string& staged,
                                       const Descriptor& previous) const {
    step("exchange");
    if (options_.exchange && renameat2(staging.get(), staged.c_str(), parent.get(), name.c_str(),
                                       RENAME_EXCHANGE) == 0) {
        step("set aside");
        if (renameat(staging.get(), staged.c_str(), previous.get(), staged.c_str()) != 0) {
            return failed("cannot set the old tree aside of", name);
        }
        return {};
    }
    if (options_.exchange && errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP) {
        return failed("cannot make live", name);
    }
    step("set aside");
    if (renameat(parent.get(), name.c_str(), previous.get(), staged.c_str()) != 0) {
        return failed("cannot set the old tree aside of", name);
    }
    step("make live");
    if (renameat(staging.get(), staged.c_str(), parent.get(), name.c_str()) == 0) return {};
    const Error first = failed("cannot make live", name);
    if (renameat(previous.get(), staged.c_str(), parent.get(), name.c_str()) == 0) return first;
    Error both = failed("and cannot put back the old tree of", name);
    both.message = first.message + "; " + both.message;
    both.detail = first.detail + "; " + both.detail;
    return both;
}

Result<void> HostPluginFolder::swap(const std::string& name, const std::string& stamp) {
    TRY(check_plugin_name(name));
    TRY(check_stamp(stamp));
    const Descriptor parent = TRY(root());
    const std::string staged = name + "." + stamp;
    const Descriptor staging = TRY(open_folder_at(parent, staging_name));
    {
        const Descriptor folder = TRY(open_folder_at(staging, staged));
        if (read_marker(folder).empty()) {
            return Error{Code::conflict, "the staged tree of \"" + name + "\" is not complete"};
        }
    }
    if (exists(parent, name)) {
        step("make previous");
        const Descriptor previous = TRY(make_folder_at(parent, previous_name, 0755));
        TRY(remove_at(previous, staged));
        TRY(replace(parent, name, staging, staged, previous));
    } else {
        step("make live");
        if (renameat2(staging.get(), staged.c_str(), parent.get(), name.c_str(),
                      RENAME_NOREPLACE) != 0 &&
            (errno != EINVAL ||
             renameat(staging.get(), staged.c_str(), parent.get(), name.c_str()) != 0)) {
            return failed("cannot make live", name);
        }
    }
    step("sync names");
    if (fsync(parent.get()) != 0) return failed("cannot write the folder of", name);
    return {};
}

Result<void> HostPluginFolder::restore(const std::string& name) {
    TRY(check_plugin_name(name));
    const Descriptor parent = TRY(root());
    if (exists(parent, name)) return {};
    const std::vector<std::string> found = TRY(stamps(parent, previous_name, name));
    for (auto stamp = found.rbegin(); stamp != found.rend(); ++stamp) {
        const Descriptor previous = TRY(open_folder_at(parent, previous_name));
        const std::string old = name + "." + *stamp;
        const auto folder = open_folder_at(previous, old);
        if (!folder || read_marker(*folder).empty()) continue;
        step("restore");
        if (renameat(previous.get(), old.c_str(), parent.get(), name.c_str()) != 0) {
            return failed("cannot put back", name);
        }
        return {};
    }
    return Error{Code::not_found, "there is no complete older tree of \"" + name + "\""};
}

Result<void> HostPluginFolder::remove(const std::string& name, const std::string& stamp) {
    TRY(check_plugin_name(name));
    TRY(check_stamp(stamp));
    auto parent = root();
    if (!parent && parent.error().code == Code::not_found) return {};
    if (!parent) return std::move(parent).error();
    if (!exists(*parent, name)) return {};
    step("make staging");
    const Descriptor staging = TRY(make_folder_at(*parent, staging_name, 0755));
    const std::string old = name + "." + stamp;
    TRY(remove_at(staging, old));
    step("take away");
    // To staging, not to previous: nothing may bring it back.
    if (renameat(parent->get(), name.c_str(), staging.get(), old.c_str()) != 0 && errno != ENOENT) {
        return failed("cannot take away", name);
    }
    step("delete");
    return remove_at(staging, old);
}

Result<void> HostPluginFolder::collect(const std::string& name) {
    TRY(check_plugin_name(name));
    auto parent = root();
    if (!parent && parent.error().code == Code::not_found) return {};
    if (!parent) return std::move(parent).error();
    for (const char* folder_name : {staging_name, previous_name}) {
        const std::vector<std::string> found = TRY(stamps(*parent, folder_name, name));
        if (found.empty()) continue;
        const Descriptor folder = TRY(open_folder_at(*parent, folder_name));
        for (const std::string& stamp : found) {
            step("collect");
            TRY(remove_at(folder, name + "." + stamp));
        }
    }
    return {};
}

}  // namespace

std::unique_ptr<PluginFolder> host_plugin_folder(HostPluginFolderOptions options) {
    return std::make_unique<HostPluginFolder>(std::move(options));
}

Result<void> give_to_plugin_owner(const Descriptor& thing, const std::string& name) {
    if (geteuid() != 0) return {};
    if (fchown(thing.get(), plugin_owner, plugin_owner) == 0) return {};
    return failed("cannot give its owner to", name);
}

}  // namespace atelier::drivers
