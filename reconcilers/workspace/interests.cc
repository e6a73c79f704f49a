// What wakes a Workspace: its installs, its plugins, and the Secrets and ConfigMaps that it names.
#include "crds/core.h"
#include "crds/plugin.h"
#include "crds/plugin_install.h"
#include "reconcilers/common/indexes.h"
#include "reconcilers/workspace/reconciler.h"

namespace atelier::reconcilers {
namespace {

std::vector<Key> of_install(const store::Event& event, const store::Store&) {
    const auto install = crds::decode<crds::PluginInstall>(event.object->body);
    if (!install) return {};
    return {
        {std::string(crds::WorkspaceSpec::resource), install->meta.ns, install->spec.workspace}};
}

// What a workspace reads of a Plugin: that it exists, its approved version, and whether it is
// stalled.
bool matters(const store::Event& event) {
    if (event.change != store::Change::modified || !event.previous) return true;
    const auto before = crds::decode<crds::Plugin>(event.previous->body);
    const auto after = crds::decode<crds::Plugin>(event.object->body);
    if (!before || !after) return true;
    return before->being_deleted() != after->being_deleted() ||
           before->status.approved != after->status.approved ||
           before->status.is_true(crds::condition::stalled) !=
               after->status.is_true(crds::condition::stalled);
}

std::vector<Key> of_plugin(const store::Event& event, const store::Store& store) {
    if (!matters(event)) return {};
    const Key& plugin = event.object->key;
    return keys_by(store, index::workspaces_by_plugin, plugin.ns, plugin.name);
}

std::vector<Key> of_secret(const store::Event& event, const store::Store& store) {
    const Key& secret = event.object->key;
    return keys_by(store, index::workspaces_by_secret, secret.ns, secret.name);
}

std::vector<Key> of_config_map(const store::Event& event, const store::Store& store) {
    const Key& map = event.object->key;
    return keys_by(store, index::workspaces_by_config_map, map.ns, map.name);
}

}  // namespace

std::vector<Interest> WorkspaceReconciler::interests() const {
    return {{std::string(crds::PluginInstallSpec::resource), of_install},
            {std::string(crds::PluginSpec::resource), of_plugin},
            {std::string(crds::Secret::resource), of_secret},
            {std::string(crds::ConfigMap::resource), of_config_map}};
}

}  // namespace atelier::reconcilers
