// The result of a compilation: the tree of workspaces with every default merged in. Its JSON
// (tree.json) is the artifact that an Org follows. It holds neither values of environment variables
// nor places in files, so that an edit without effect gives the same digest.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/fields.h"
#include "crds/org_template.h"
#include "crds/workspace.h"
#include "drivers/trees/tree.h"

namespace atelier::templates {

struct NodeFile {
    std::string path;
    std::string sha256;
    bool executable = false;
    template <class Self, class V>
    static void fields(Self& self, V& v) {
        v("path", self.path);
        v("sha256", self.sha256);
        v("executable", self.executable);
    }
};

struct Canvas {
    double x = 0;
    double y = 0;
    template <class Self, class V>
    static void fields(Self& self, V& v) {
        v("x", self.x);
        v("y", self.y);
    }
};

struct Node {
    std::string key;
    std::string parent;  // key; empty for a root
    std::string name;
    std::string role;
    std::string files_dir;  // as the template says it
    std::string persona;    // when the node names one itself
    std::string runtime;    // empty: neither the node nor the defaults say
    std::int64_t tier = 2;
    std::string model;  // empty: neither the node nor the defaults say
    std::vector<std::string> plugins;
    std::string initial_prompt;
    std::string idle_prompt;
    std::int64_t idle_interval_seconds = 0;  // 0 without an idle prompt
    std::map<std::string, std::vector<std::string>> category_routing;
    std::vector<crds::Memory> initial_memories;
    std::vector<crds::Schedule> schedules;
    std::vector<crds::Channel> channels;
    std::int64_t max_concurrent_tasks = 1;
    std::string workspace_dir;  // with ${NAME} as written
    crds::WorkspaceAccess workspace_access = crds::WorkspaceAccess::none;
    bool external = false;
    std::string url;
    std::optional<Canvas> canvas;
    std::vector<std::string> env_names;              // of the node's own .env, sorted
    std::vector<std::string> empty_env_names;        // of those, the ones with an empty value
    std::vector<crds::EnvRequirement> required_env;  // its own
    std::vector<crds::EnvRequirement> recommended_env;
    std::string files_digest;  // the node's own tree in the tree store; empty: no files
    std::vector<NodeFile> files;
    template <class Self, class V>
    static void fields(Self& self, V& v) {
        v("key", self.key);
        v("parent", self.parent);
        v("name", self.name);
        v("role", self.role);
        v("filesDir", self.files_dir);
        v("persona", self.persona);
        v("runtime", self.runtime);
        v("tier", self.tier);
        v("model", self.model);
        v("plugins", self.plugins);
        v("initialPrompt", self.initial_prompt);
        v("idlePrompt", self.idle_prompt);
        v("idleIntervalSeconds", self.idle_interval_seconds);
        v("categoryRouting", self.category_routing);
        v("initialMemories", self.initial_memories);
        v("schedules", self.schedules);
        v("channels", self.channels);
        v("maxConcurrentTasks", self.max_concurrent_tasks);
        v("workspaceDir", self.workspace_dir);
        v("workspaceAccess", self.workspace_access);
        v("external", self.external);
        v("url", self.url);
        v("canvas", self.canvas);
        v("envNames", self.env_names);
        v("emptyEnvNames", self.empty_env_names);
        v("requiredEnv", self.required_env);
        v("recommendedEnv", self.recommended_env);
        v("filesDigest", self.files_digest);
        v("files", self.files);
    }
};

struct CompiledOrg {
    std::string name;
    std::string description;
    std::vector<Node> nodes;           // parents before their children, in the order written
    std::vector<std::string> skipped;  // keys of nodes under `spawning: false`, sorted
    crds::TemplateCounts counts;
    std::vector<crds::EnvRequirement> required_env;  // added up over the tree
    std::vector<crds::EnvRequirement> recommended_env;
    std::vector<crds::EnvRequirement> own_required_env;  // asked for by no single node
    std::vector<crds::EnvRequirement> own_recommended_env;
    std::vector<std::string> env_names;        // of the template's own .env, sorted
    std::vector<std::string> empty_env_names;  // of those, the ones with an empty value
    template <class Self, class V>
    static void fields(Self& self, V& v) {
        v("name", self.name);
        v("description", self.description);
        v("nodes", self.nodes);
        v("skipped", self.skipped);
        v("counts", self.counts);
        v("requiredEnv", self.required_env);
        v("recommendedEnv", self.recommended_env);
        v("ownRequiredEnv", self.own_required_env);
        v("ownRecommendedEnv", self.own_recommended_env);
        v("envNames", self.env_names);
        v("emptyEnvNames", self.empty_env_names);
    }
};

// Values of the template's .env files. Secret: never in an artifact, a status or a message.
using EnvMap = std::map<std::string, std::string>;
struct EnvLayers {
    EnvMap org;
    std::map<std::string, EnvMap> nodes;  // by key; only nodes that have any
};

// The artifact's only file.
inline constexpr std::string_view tree_file = "tree.json";

}  // namespace atelier::templates
