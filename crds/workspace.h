// Workspace: one agent, what it runs with, and what is seen of it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "crds/meta.h"

namespace atelier::crds {

// A file below /configs. Exactly one of content and artifact.
struct ArtifactRef {
    std::string digest;  // of a tree in the tree store
    std::string path;    // inside that tree
    template <class Self, class V>
    static void fields(Self& self, V& v) {
        v("digest", self.digest);
        v("path", self.path);
    }
};

struct WorkspaceFile {
    std::string path;  // relative, no "..", not below plugins/
    std::string content;
    std::optional<ArtifactRef> artifact;
    std::string sha256;  // of the bytes, when from an artifact
    bool executable = false;
    template <class Self, class V>
    static void fields(Self& self, V& v) {
        v("path", self.path);
        v("content", self.content);
        v("artifact", self.artifact);
        v("sha256", self.sha256);
        v("executable", self.executable);
    }
};

struct KeyRef {
    std::string name;
    std::string key;
    template <class Self, class V>
    static void fields(Self& self, V& v) {
        v("name", self.name);
        v("key", self.key);
    }
};

struct EnvValue {
    std::string name;
    std::string value;
    std::optional<KeyRef> secret_key_ref;
    std::optional<KeyRef> config_map_key_ref;
    template <class Self, class V>
    static void fields(Self& self, V& v) {
        v("name", self.name);
        v("value", self.value);
        v("secretKeyRef", self.secret_key_ref);
        v("configMapKeyRef", self.config_map_key_ref);
    }
};

// All keys of a Secret or ConfigMap; later sources win.
struct EnvFrom {
    std::optional<LocalRef> secret_ref;
    std::optional<LocalRef> config_map_ref;
    template <class Self, class V>
    static void fields(Self& self, V& v) {
        v("secretRef", self.secret_ref);
        v("configMapRef", self.config_map_ref);
    }
};

struct Schedule {
    std::string name;
    std::string cron_expr;
    std::string timezone = "UTC";
    std::string prompt;
    bool enabled = true;
    template <class Self, class V>
    static void fields(Self& self, V& v) {
        v("name", self.name);
        v("cronExpr", self.cron_expr);
        v("timezone", self.timezone);
        v("prompt", self.prompt);
        v("enabled", self.enabled);
    }
};

struct Channel {
    std::string type;  // telegram, slack, lark, discord
    std::map<std::string, std::string> config;
    std::vector<std::string> allowed_users;
    bool enabled = true;
    template <class Self, class V>
    static void fields(Self& self, V& v) {
        v("type", self.type);
        v("config", self.config);
        v("allowedUsers", self.allowed_users);
        v("enabled", self.enabled);
    }
};

struct Memory {
    std::string content;
    std::string scope = "LOCAL";  // LOCAL, TEAM, GLOBAL
    template <class Self, class V>
    static void fields(Self& self, V& v) {
        v("content", self.content);
        v("scope", self.scope);
    }
};

enum class DesiredState { running, paused, hibernated };
constexpr std::array<std::pair<DesiredState, std::string_view>, 3> names_of(DesiredState) {
    return {{{DesiredState::running, "Running"},
             {DesiredState::paused, "Paused"},
             {DesiredState::hibernated, "Hibernated"}}};
}

enum class WorkspaceAccess { none, read_only, read_write };
constexpr std::array<std::pair<WorkspaceAccess, std::string_view>, 3> names_of(WorkspaceAccess) {
    return {{{WorkspaceAccess::none, "none"},
             {WorkspaceAccess::read_only, "read_only"},
             {WorkspaceAccess::read_write, "read_write"}}};
}

struct WorkspaceSpec {
    static constexpr std::string_view kind = "Workspace";
    static constexpr std::string_view resource = "workspaces.atelier.dev";
    std::string org;            // name of the Org it belongs to; empty for one made by hand
    std::string workspace_key;  // its identity inside the org
    std::string parent;         // name of the parent Workspace
    std::string display_name;
    std::string role;  // prose
    std::string runtime = "langgraph";
    std::int64_t tier = 2;  // 1..4
    std::string image;      // empty: the server's image for the runtime
    std::string model;
    std::string backend;               // docker, process, external; empty: the server's default
    std::vector<std::string> command;  // what the agent runs as its child; empty: the image's own
    std::vector<WorkspaceFile> files;
    std::vector<EnvValue> env;  // wins over env_from
    std::vector<EnvFrom> env_from;
    std::vector<std::string> plugins;  // names of Plugin objects
    std::vector<Schedule> schedules;
    std::vector<Channel> channels;
    std::vector<Memory> initial_memories;
    std::string initial_prompt;
    std::string idle_prompt;
    std::int64_t idle_interval_seconds = 0;
    std::int64_t max_concurrent_tasks = 1;
    std::map<std::string, std::vector<std::string>> category_routing;
    std::string update_tier = "production";  // name of an UpdateTier
    DesiredState desired_state = DesiredState::running;
    std::string workspace_dir;  // host directory for /workspace
    WorkspaceAccess workspace_access = WorkspaceAccess::none;
    std::string url;  // of an external agent
    bool suspend = false;
    template <class Self, class V>
    static void fields(Self& self, V& v) {
        v("org", self.org);
        v("key", self.workspace_key);
        v("parent", self.parent);
        v("displayName", self.display_name);
        v("role", self.role);
        v("runtime", self.runtime);
        v("tier", self.tier);
        v("image", self.image);
        v("model", self.model);
        v("backend", self.backend);
        v("command", self.command);
        v("files", self.files);
        v("env", self.env);
        v("envFrom", self.env_from);
        v("plugins", self.plugins);
        v("schedules", self.schedules);
        v("channels", self.channels);
        v("initialMemories", self.initial_memories);
        v("initialPrompt", self.initial_prompt);
        v("idlePrompt", self.idle_prompt);
        v("idleIntervalSeconds", self.idle_interval_seconds);
        v("maxConcurrentTasks", self.max_concurrent_tasks);
        v("categoryRouting", self.category_routing);
        v("updateTier", self.update_tier);
        v("desiredState", self.desired_state);
        v("workspaceDir", self.workspace_dir);
        v("workspaceAccess", self.workspace_access);
        v("url", self.url);
        v("suspend", self.suspend);
    }
};

struct WorkspacePlugin {
    std::string name;
    std::string desired;  // digests; empty: not known
    std::string delivered;
    std::string loaded;
    template <class Self, class V>
    static void fields(Self& self, V& v) {
        v("name", self.name);
        v("desired", self.desired);
        v("delivered", self.delivered);
        v("loaded", self.loaded);
    }
};

struct WorkspaceStatus : StatusBase {
    std::string backend;  // where it runs
    // Every backend in which something of it was ever made, written before it is made: only these
    // are asked when it is deleted.
    std::vector<std::string> backends;
    std::string container;      // name there
    std::string image_digest;   // of the image in use
    std::string spec_hash;      // of the running container
    std::int64_t restarts = 0;  // containers started after the first
    std::optional<Instant> started_at;
    std::string plugin_delivery;  // mount, exec or pull
    std::string plugins_summary;  // "2/2": effective of desired, for the table
    std::vector<WorkspacePlugin> plugins;
    template <class Self, class V>
    static void fields(Self& self, V& v) {
        StatusBase::base_fields(self, v);
        v("backend", self.backend);
        v("backends", self.backends);
        v("container", self.container);
        v("imageDigest", self.image_digest);
        v("specHash", self.spec_hash);
        v("restarts", self.restarts);
        v("startedAt", self.started_at);
        v("pluginDelivery", self.plugin_delivery);
        v("pluginsSummary", self.plugins_summary);
        v("plugins", self.plugins);
    }
};

using Workspace = Typed<WorkspaceSpec, WorkspaceStatus>;

}  // namespace atelier::crds
