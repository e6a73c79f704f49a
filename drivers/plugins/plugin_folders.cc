#include "drivers/plugins/plugin_folders.h"

#include "base/file.h"
#include "base/folder.h"
#include "base/text.h"
#include "drivers/plugins/exec_plugin_folder.h"
#include "drivers/plugins/host_plugin_folder.h"

namespace atelier::drivers {
namespace {

class HomePluginFolders final : public PluginFolders {
  public:
    explicit HomePluginFolders(std::filesystem::path home) : home_(std::move(home)) {}

    bool mounted(Runtime& runtime) override { return runtime.capabilities().shares_file_system; }

    std::unique_ptr<PluginFolder> open(Runtime& runtime, const std::string& uid,
                                       const std::string& unit_id) override {
        if (!mounted(runtime)) return exec_plugin_folder(runtime, {.unit_id = unit_id});
        return host_plugin_folder({.plugins = of(uid) / "plugins", .run = of(uid) / "run"});
    }

    std::vector<Mount> mounts(Runtime& runtime, const std::string& uid) override {
        if (!mounted(runtime)) return {};
        return {{Mount::Kind::host, (of(uid) / "plugins").string(), "/configs/plugins", true},
                {Mount::Kind::host, (of(uid) / "run").string(), "/run/atelier", false}};
    }

    Result<void> prepare(Runtime& runtime, const std::string& uid) override {
        if (!mounted(runtime)) return {};
        TRY(make_directories(of(uid) / "plugins"));
        TRY(make_directories(of(uid) / "run"));
        const Descriptor run = TRY(open_folder((of(uid) / "run").string()));
        TRY(remove_at(run, "status.json"));
        // The agent writes here, as root or as the owner of the plugins.
        return give_to_plugin_owner(run, "run");
    }

    Result<void> destroy(const std::string& uid) override {
        TRY(check(uid));
        auto parent = open_folder((home_ / "workspaces").string());
        if (!parent && parent.error().code == Code::not_found) return {};
        if (!parent) return std::move(parent).error();
        return remove_at(*parent, uid);
    }

    Result<bool> exists(const std::string& uid) override { return is_folder(of(uid)); }

  private:
    static bool is_folder(const std::filesystem::path& path) {
        std::error_code ignored;
        return std::filesystem::is_directory(path, ignored);
    }
    // The server makes uids itself; but this one becomes a path, below which everything is removed.
    static Result<void> check(const std::string& uid) {
        if (is_safe_relative_path(uid) && uid.find('/') == std::string::npos) return {};
        return Error{Code::invalid, "the workspace's uid cannot name a folder"};
    }
    std::filesystem::path of(const std::string& uid) const { return home_ / "workspaces" / uid; }

    const std::filesystem::path home_;
};

}  // namespace

std::unique_ptr<PluginFolders> home_plugin_folders(const std::filesystem::path& home) {
    return std::make_unique<HomePluginFolders>(home);
}

}  // namespace atelier::drivers
