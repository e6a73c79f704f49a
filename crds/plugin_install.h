// PluginInstall: this plugin, at this digest, in this workspace.
#pragma once

#include <optional>
#include <string>

#include "crds/meta.h"
#include "crds/plugin.h"

namespace atelier::crds {

enum class ChangeClass { none, hot, cold };
constexpr std::array<std::pair<ChangeClass, std::string_view>, 3> names_of(ChangeClass) {
    return {{{ChangeClass::none, "None"}, {ChangeClass::hot, "Hot"}, {ChangeClass::cold, "Cold"}}};
}

struct PluginInstallSpec {
    static constexpr std::string_view kind = "PluginInstall";
    static constexpr std::string_view resource = "plugininstalls.atelier.dev";
    std::string workspace;
    std::string plugin;  // name of the Plugin, and of the folder below /configs/plugins
    PluginVersion version;
    bool suspend = false;
    template <class Self, class V>
    static void fields(Self& self, V& v) {
        v("workspace", self.workspace);
        v("plugin", self.plugin);
        v("version", self.version);
        v("suspend", self.suspend);
    }
};

struct PluginInstallStatus : StatusBase {
    // The three digests. "desired" is what was last asked for and understood.
    std::string desired;
    std::string delivered;
    std::string loaded;
    std::string delivered_commit;
    std::string delivery;  // mount, exec or pull
    std::optional<ChangeClass> last_change;
    // The digest of the last cold delivery: a container started for an older one must restart.
    std::string restart_digest;
    std::optional<Instant> delivered_at;
    template <class Self, class V>
    static void fields(Self& self, V& v) {
        StatusBase::base_fields(self, v);
        v("desired", self.desired);
        v("delivered", self.delivered);
        v("loaded", self.loaded);
        v("deliveredCommit", self.delivered_commit);
        v("delivery", self.delivery);
        v("lastChange", self.last_change);
        v("restartDigest", self.restart_digest);
        v("deliveredAt", self.delivered_at);
    }
};

using PluginInstall = Typed<PluginInstallSpec, PluginInstallStatus>;

}  // namespace atelier::crds
