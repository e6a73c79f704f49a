// The objects that are written and read in measurements: Workspaces of about 600 bytes, as the
// published measurements of other API servers have them.
#pragma once

#include <string>

#include "crds/meta.h"
#include "store/store.h"

namespace atelier::bench {

crds::Body workspace_body(const std::string& name, const std::string& ns = "default");
Key workspace_key(const std::string& name, const std::string& ns = "default");
// The same as a client sends it.
std::string workspace_json(const std::string& name);

// Writes so many Workspaces named w-0, w-1, … into the namespace, many at once.
void fill(store::Store& store, int objects, const std::string& ns);

}  // namespace atelier::bench
