// What wakes a PluginInstall: its workspace, its plugin, and the policies of its namespace.
#include "crds/plugin_policy.h"
#include "crds/workspace.h"
#include "reconcilers/common/indexes.h"
#include "reconcilers/plugin_install/reconciler.h"

namespace atelier::reconcilers {
namespace {

using crds::PluginInstall;

// A part of two states of one object, as JSON text.
bool differs(const store::Event& event, std::initializer_list<std::string_view> path) {
    if (!event.previous) return true;
    const auto before = json::parse(event.previous->body);
    const auto after = json::parse(event.object->body);
    if (!before || !after) return true;
    const json::Value* old_part = json::find(*before, path);
    const json::Value* new_part = json::find(*after, path);
    if (!old_part || !new_part) return old_part != new_part;
    return *old_part != *new_part;
}

std::vector<Key> of_workspace(const store::Event& event, const store::Store& store) {
    const crds::Meta& meta = event.object->meta;
    const bool spec_changed = event.change != store::Change::modified || !event.previous ||
                              event.previous->meta.generation != meta.generation ||
                              event.previous->meta.deleted_at != meta.deleted_at;
    if (!spec_changed && !differs(event, {"status", "startedAt"}) &&
        !differs(event, {"status", "container"})) {
        return {};
    }
    return keys_by(store, index::installs_by_workspace, meta.ns, meta.name);
}

// When the install that counts is gone, another one for the same workspace and plugin does.
std::vector<Key> of_sibling(const store::Event& event, const store::Store& store) {
    if (event.change != store::Change::deleted) return {};
    const auto gone = crds::decode<PluginInstall>(event.object->body);
    if (!gone) return {};
    return keys_by(store, index::installs_by_workspace, gone->meta.ns, gone->spec.workspace);
}

std::vector<Key> of_plugin(const store::Event& event, const store::Store& store) {
    if (event.change == store::Change::modified && !differs(event, {"status", "approved"}) &&
        !differs(event, {"status", "capabilities"}) && !differs(event, {"status", "conditions"})) {
        return {};
    }
    const Key& plugin = event.object->key;
    return keys_by(store, index::installs_by_plugin, plugin.ns, plugin.name);
}

std::vector<Key> of_policy(const store::Event& event, const store::Store& store) {
    if (event.change == store::Change::modified && event.previous &&
        event.previous->meta.generation == event.object->meta.generation) {
        return {};
    }
    // A policy may be about any plugin and any workspace of the namespace.
    std::vector<Key> keys;
    const auto all = store.list(crds::PluginInstallSpec::resource);
    for (const auto& object : all->objects) {
        if (object->key.ns == event.object->key.ns) keys.push_back(object->key);
    }
    return keys;
}

}  // namespace

std::vector<Interest> PluginInstallReconciler::interests() const {
    return {{std::string(crds::WorkspaceSpec::resource), of_workspace},
            {std::string(crds::PluginInstallSpec::resource), of_sibling},
            {std::string(crds::PluginSpec::resource), of_plugin},
            {std::string(crds::PluginPolicySpec::resource), of_policy}};
}

}  // namespace atelier::reconcilers
