// Indexes of the store's cache that reconcilers look objects up by. Each lookup costs as much as it
// finds, whatever the number of objects.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "crds/meta.h"
#include "store/store.h"

namespace atelier::reconcilers::index {

// Values are in_namespace(ns, name), except where another form is named.
extern const store::FieldIndex installs_by_workspace;
extern const store::FieldIndex installs_by_plugin;
extern const store::FieldIndex updates_by_plugin;
extern const store::FieldIndex plugins_by_secret;
extern const store::FieldIndex workspaces_by_plugin;
extern const store::FieldIndex workspaces_by_secret;
extern const store::FieldIndex workspaces_by_config_map;
extern const store::FieldIndex workspaces_by_volumes;  // the uid that the volumes are named after
extern const store::FieldIndex kept_by_volumes;        // likewise, of DeletedWorkspaces
extern const store::FieldIndex kept_by_name;  // the name that the workspace is restored under

}  // namespace atelier::reconcilers::index

namespace atelier::reconcilers {

// The keys of what the index has under that name in that namespace, sorted.
std::vector<Key> keys_by(const store::Store& store, const store::FieldIndex& index,
                         std::string_view ns, std::string_view name);

}  // namespace atelier::reconcilers
