// Which PluginInstalls belong to a workspace or a plugin, whoever created them and whatever their
// names are.
#pragma once

#include <string>
#include <vector>

#include "crds/plugin_install.h"
#include "reconcilers/common/objects.h"

namespace atelier::reconcilers {

Result<std::vector<crds::PluginInstall>> installs_of_workspace(const Objects& objects,
                                                               const std::string& ns,
                                                               const std::string& workspace);
Result<std::vector<crds::PluginInstall>> installs_of_plugin(const Objects& objects,
                                                            const std::string& ns,
                                                            const std::string& plugin);

// Of several PluginInstalls for one workspace and plugin only one counts, because there is one
// folder: the oldest, and of two of one second the one whose name comes first. nullptr: there is
// none. `installs` owns the result and may hold those of other workspaces and plugins.
const crds::PluginInstall* counting_install(const std::vector<crds::PluginInstall>& installs,
                                            const std::string& workspace,
                                            const std::string& plugin);

}  // namespace atelier::reconcilers
