// Plugin: a tracked plugin, where it comes from and what of it is approved.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "crds/meta.h"

namespace atelier::crds {

// One immutable state of a plugin.
struct PluginVersion {
    std::string commit;  // 40 hexadecimal digits; empty when the source has no commits
    std::string digest;  // of the content manifest
    std::string ref;     // the tag or branch that led here
    template <class Self, class V>
    static void fields(Self& self, V& v) {
        v("commit", self.commit);
        v("digest", self.digest);
        v("ref", self.ref);
    }
    bool operator==(const PluginVersion&) const = default;
};

// What a plugin can do, read from its tree.
struct PluginCapabilities {
    std::vector<std::string> skills;
    std::vector<std::string> rules;
    std::vector<std::string> hooks;
    std::vector<std::string> commands;
    std::vector<std::string> executables;
    std::vector<std::string> runtimes;  // empty: not said
    std::int64_t files = 0;
    std::int64_t bytes = 0;
    template <class Self, class V>
    static void fields(Self& self, V& v) {
        v("skills", self.skills);
        v("rules", self.rules);
        v("hooks", self.hooks);
        v("commands", self.commands);
        v("executables", self.executables);
        v("runtimes", self.runtimes);
        v("files", self.files);
        v("bytes", self.bytes);
    }
};

struct PluginSpec {
    static constexpr std::string_view kind = "Plugin";
    static constexpr std::string_view resource = "plugins.atelier.dev";
    // local://name, github://owner/repo[#ref], git+http(s)://host/path[#ref]
    std::string source;
    std::string path;  // folder of the plugin inside the repository
    // none, tag:<name>, tag:latest (the highest version), sha:<commit>, branch:<name>
    std::string track = "none";
    Duration interval = std::chrono::hours(1);
    std::optional<LocalRef> secret_ref;
    std::string sha256;  // when set: what plugin.yaml must hash to
    bool suspend = false;
    template <class Self, class V>
    static void fields(Self& self, V& v) {
        v("source", self.source);
        v("path", self.path);
        v("track", self.track);
        v("interval", self.interval);
        v("secretRef", self.secret_ref);
        v("sha256", self.sha256);
        v("suspend", self.suspend);
    }
};

struct PluginStatus : StatusBase {
    std::string version;  // of plugin.yaml, as approved
    std::optional<PluginVersion>
        approved;  // what new installs get: the first seen, then the last applied
    std::optional<Instant> approved_at;   // when it became so
    std::optional<PluginVersion> latest;  // what the tracked ref led to at the last check
    std::optional<Instant> latest_first_seen;
    std::optional<Instant> last_check_time;
    std::string pending_update;       // name of the open PluginUpdate
    PluginCapabilities capabilities;  // of approved
    std::int64_t installs = 0;
    template <class Self, class V>
    static void fields(Self& self, V& v) {
        StatusBase::base_fields(self, v);
        v("version", self.version);
        v("approved", self.approved);
        v("approvedAt", self.approved_at);
        v("latest", self.latest);
        v("latestFirstSeen", self.latest_first_seen);
        v("lastCheckTime", self.last_check_time);
        v("pendingUpdate", self.pending_update);
        v("capabilities", self.capabilities);
        v("installs", self.installs);
    }
};

using Plugin = Typed<PluginSpec, PluginStatus>;

}  // namespace atelier::crds
