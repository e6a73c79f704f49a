// What the reconcilers of Workspace, PluginInstall and DeletedWorkspace act on, and the names and
// labels that they agree on (docs/architecture.md, "Names").
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/metrics.h"
#include "base/random.h"
#include "crds/workspace.h"
#include "drivers/plugins/plugin_folders.h"
#include "drivers/runtime.h"
#include "drivers/trees/tree.h"

namespace atelier::reconcilers {

inline constexpr std::string_view external_backend = "external";

// Collaborators outlive the reconcilers, which keep a copy of this.
struct Runtimes {
    std::map<std::string, drivers::Runtime*> by_backend;  // by the name of the backend
    std::string default_backend;                          // for workspaces that name none
    drivers::PluginFolders& folders;
    drivers::TreeStore& trees;
    Random& random;
    Metrics& metrics;
    std::string instance;                       // the id of this server, on everything it makes
    std::string network = "atelier";            // of its units, where the runtime has networks
    std::map<std::string, std::string> images;  // runtime of a workspace -> image
    // atelier-agent on this machine: runs a workspace's command where the runtime has no images.
    std::string agent_program = {};
    std::string hash_key = {};      // of the hashes that statuses and labels show
    std::string platform_url = {};  // PLATFORM_URL of agents; empty: not set
    // Whether a unit that another store made is an orphan, too, when this store does not have its
    // Workspace: the operator said so (--accept-store).
    bool stops_strangers = false;
};

// docker, process, external: the spec's, else the server's default.
std::string backend_of(const crds::WorkspaceSpec& spec, const Runtimes& runtimes);
drivers::Runtime* runtime_of(const Runtimes& runtimes, const std::string& backend);  // or nullptr

std::string unit_name(const std::string& uid);  // "ws-0a1b2c3d-4e5"
std::string configs_volume(const std::string& uid);
std::string files_volume(const std::string& uid);  // at /workspace

namespace unit_label {
inline constexpr std::string_view managed = crds::label::managed;
inline constexpr std::string_view instance = "atelier.dev/instance";
inline constexpr std::string_view store =
    "atelier.dev/store";  // the identity of the store that made it
inline constexpr std::string_view uid = "atelier.dev/uid";
inline constexpr std::string_view ns = "atelier.dev/namespace";
inline constexpr std::string_view name = "atelier.dev/name";
inline constexpr std::string_view spec_hash = "atelier.dev/spec-hash";
inline constexpr std::string_view restart_digest = "atelier.dev/restart-digest";
inline constexpr std::string_view attempt = "atelier.dev/attempt";
inline constexpr std::string_view restarts = "atelier.dev/restarts";
inline constexpr std::string_view created_at = "atelier.dev/created-at";
inline constexpr std::string_view delivery = "atelier.dev/delivery";  // mount or exec
inline constexpr std::string_view files = "atelier.dev/files";  // paths below /configs, by line
}  // namespace unit_label

// What everything of this server carries; what finds everything of one workspace.
drivers::Labels labels_of_server(const std::string& instance);
drivers::Labels labels_of_server(const Runtimes& runtimes);
drivers::Labels labels_to_find(const Runtimes& runtimes, const std::string& uid);
// Finds also what an earlier workspace of that name left behind.
drivers::Labels labels_of_name(const Runtimes& runtimes, const std::string& ns,
                               const std::string& name);
drivers::Labels labels_of_workspace(const Runtimes& runtimes, const crds::Meta& meta);

// Unique among the trees staged for one plugin: the time, and a random suffix for two within one
// second.
std::string new_stamp(Instant now, Random& random);

}  // namespace atelier::reconcilers
