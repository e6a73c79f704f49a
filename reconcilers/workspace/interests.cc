// Who else wakes a Workspace: its installs, its plugins, and the Secrets and ConfigMaps it names.
#include <algorithm>

#include "crds/core.h"
#include "crds/plugin.h"
#include "crds/plugin_install.h"
#include "reconcilers/workspace/reconciler.h"

namespace atelier::reconcilers {
namespace {

using crds::Workspace;

std::vector<Key> workspaces(const store::Store& store, const std::string& ns,
                            const std::function<bool(const crds::WorkspaceSpec&)>& wanted) {
    std::vector<Key> keys;
    const auto snapshot = store.list(crds::WorkspaceSpec::resource);
    for (const auto& object : snapshot->objects) {
        if (object->key.ns != ns) continue;
        const auto decoded = crds::decode<Workspace>(object->body);
        if (decoded && wanted(decoded->spec)) keys.push_back(object->key);
    }
    return keys;
}

std::vector<Key> of_install(const store::Event& event, const store::Store&) {
    const crds::Meta& meta = event.object->meta;
    std::string name = meta.label(crds::label::workspace);
    if (name.empty()) {
        const auto install = crds::decode<crds::PluginInstall>(event.object->body);
        if (install) name = install->spec.workspace;
    }
    if (name.empty()) return {};
    return {{std::string(crds::WorkspaceSpec::resource), meta.ns, name}};
}

// What a workspace reads of a Plugin: whether it is there, what is approved, why there is nothing.
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
    const std::string& name = event.object->meta.name;
    return workspaces(store, event.object->meta.ns, [&](const crds::WorkspaceSpec& spec) {
        return std::find(spec.plugins.begin(), spec.plugins.end(), name) != spec.plugins.end();
    });
}

std::vector<Key> of_secret(const store::Event& event, const store::Store& store) {
    const std::string& name = event.object->meta.name;
    return workspaces(store, event.object->meta.ns, [&](const crds::WorkspaceSpec& spec) {
        return std::any_of(spec.env_from.begin(), spec.env_from.end(),
                           [&](const crds::EnvFrom& from) {
                               return from.secret_ref && from.secret_ref->name == name;
                           }) ||
               std::any_of(spec.env.begin(), spec.env.end(), [&](const crds::EnvValue& value) {
                   return value.secret_key_ref && value.secret_key_ref->name == name;
               });
    });
}

std::vector<Key> of_config_map(const store::Event& event, const store::Store& store) {
    const std::string& name = event.object->meta.name;
    return workspaces(store, event.object->meta.ns, [&](const crds::WorkspaceSpec& spec) {
        return std::any_of(spec.env_from.begin(), spec.env_from.end(),
                           [&](const crds::EnvFrom& from) {
                               return from.config_map_ref && from.config_map_ref->name == name;
                           }) ||
               std::any_of(spec.env.begin(), spec.env.end(), [&](const crds::EnvValue& value) {
                   return value.config_map_key_ref && value.config_map_key_ref->name == name;
               });
    });
}

}  // namespace

std::vector<Interest> WorkspaceReconciler::interests() const {
    return {{std::string(crds::PluginInstallSpec::resource), of_install},
            {std::string(crds::PluginSpec::resource), of_plugin},
            {std::string(crds::Secret::resource), of_secret},
            {std::string(crds::ConfigMap::resource), of_config_map}};
}

}  // namespace atelier::reconcilers
