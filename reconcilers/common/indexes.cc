#include "reconcilers/common/indexes.h"

#include "crds/core.h"
#include "crds/deleted_workspace.h"
#include "crds/plugin.h"
#include "crds/plugin_install.h"
#include "crds/plugin_update.h"
#include "crds/workspace.h"

namespace atelier::reconcilers {
namespace {

using Values = std::vector<std::string>;

template <class T, class Names>
Values values_of(const store::Object& object, Names names) {
    const auto decoded = crds::decode<T>(object.body);
    if (!decoded) return {};
    Values values;
    for (const std::string& name : names(*decoded)) {
        values.push_back(store::in_namespace(object.key.ns, name));
    }
    return values;
}

Values workspace_of_install(const store::Object& object) {
    return values_of<crds::PluginInstall>(
        object, [](const auto& install) { return Values{install.spec.workspace}; });
}

Values plugin_of_install(const store::Object& object) {
    return values_of<crds::PluginInstall>(
        object, [](const auto& install) { return Values{install.spec.plugin}; });
}

Values plugin_of_update(const store::Object& object) {
    return values_of<crds::PluginUpdate>(
        object, [](const auto& update) { return Values{update.spec.plugin}; });
}

Values secret_of_plugin(const store::Object& object) {
    return values_of<crds::Plugin>(object, [](const auto& plugin) {
        return plugin.spec.secret_ref ? Values{plugin.spec.secret_ref->name} : Values{};
    });
}

Values plugins_of_workspace(const store::Object& object) {
    return values_of<crds::Workspace>(object,
                                      [](const auto& workspace) { return workspace.spec.plugins; });
}

Values secrets_of_workspace(const store::Object& object) {
    return values_of<crds::Workspace>(object, [](const crds::Workspace& workspace) {
        Values names;
        for (const crds::EnvFrom& from : workspace.spec.env_from) {
            if (from.secret_ref) names.push_back(from.secret_ref->name);
        }
        for (const crds::EnvValue& value : workspace.spec.env) {
            if (value.secret_key_ref) names.push_back(value.secret_key_ref->name);
        }
        return names;
    });
}

Values config_maps_of_workspace(const store::Object& object) {
    return values_of<crds::Workspace>(object, [](const crds::Workspace& workspace) {
        Values names;
        for (const crds::EnvFrom& from : workspace.spec.env_from) {
            if (from.config_map_ref) names.push_back(from.config_map_ref->name);
        }
        for (const crds::EnvValue& value : workspace.spec.env) {
            if (value.config_map_key_ref) names.push_back(value.config_map_key_ref->name);
        }
        return names;
    });
}

Values volumes_of_workspace(const store::Object& object) {
    return {crds::volumes_uid(object.meta)};
}

Values volumes_of_kept(const store::Object& object) {
    const auto kept = crds::decode<crds::DeletedWorkspace>(object.body);
    return kept ? Values{kept->spec.uid} : Values{};
}

Values name_of_kept(const store::Object& object) {
    return values_of<crds::DeletedWorkspace>(object, [](const auto& kept) {
        return Values{kept.spec.restore_as.empty() ? kept.spec.workspace : kept.spec.restore_as};
    });
}

}  // namespace

namespace index {

const store::FieldIndex installs_by_workspace{crds::PluginInstallSpec::resource, "workspace",
                                              workspace_of_install};
const store::FieldIndex installs_by_plugin{crds::PluginInstallSpec::resource, "plugin",
                                           plugin_of_install};
const store::FieldIndex updates_by_plugin{crds::PluginUpdateSpec::resource, "plugin",
                                          plugin_of_update};
const store::FieldIndex plugins_by_secret{crds::PluginSpec::resource, "secret", secret_of_plugin};
const store::FieldIndex workspaces_by_plugin{crds::WorkspaceSpec::resource, "plugin",
                                             plugins_of_workspace};
const store::FieldIndex workspaces_by_secret{crds::WorkspaceSpec::resource, "secret",
                                             secrets_of_workspace};
const store::FieldIndex workspaces_by_config_map{crds::WorkspaceSpec::resource, "configmap",
                                                 config_maps_of_workspace};
const store::FieldIndex workspaces_by_volumes{crds::WorkspaceSpec::resource, "volumes",
                                              volumes_of_workspace};
const store::FieldIndex kept_by_volumes{crds::DeletedWorkspaceSpec::resource, "volumes",
                                        volumes_of_kept};
const store::FieldIndex kept_by_name{crds::DeletedWorkspaceSpec::resource, "name", name_of_kept};

}  // namespace index

std::vector<Key> keys_by(const store::Store& store, const store::FieldIndex& index,
                         std::string_view ns, std::string_view name) {
    std::vector<Key> keys;
    for (const auto& object : store.by_index(index, store::in_namespace(ns, name))) {
        keys.push_back(object->key);
    }
    return keys;
}

}  // namespace atelier::reconcilers
