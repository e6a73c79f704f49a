#include "reconcilers/common/installs.h"

#include <tuple>

#include "reconcilers/common/indexes.h"

namespace atelier::reconcilers {
namespace {

using crds::PluginInstall;

bool is_older(const PluginInstall& a, const PluginInstall& b) {
    return std::tie(a.meta.created_at, a.meta.name) < std::tie(b.meta.created_at, b.meta.name);
}

}  // namespace

Result<std::vector<PluginInstall>> installs_of_workspace(const Objects& objects,
                                                         const std::string& ns,
                                                         const std::string& workspace) {
    return objects.by_index<PluginInstall>(index::installs_by_workspace,
                                           store::in_namespace(ns, workspace));
}

Result<std::vector<PluginInstall>> installs_of_plugin(const Objects& objects, const std::string& ns,
                                                      const std::string& plugin) {
    return objects.by_index<PluginInstall>(index::installs_by_plugin,
                                           store::in_namespace(ns, plugin));
}

const PluginInstall* counting_install(const std::vector<PluginInstall>& installs,
                                      const std::string& workspace, const std::string& plugin) {
    const PluginInstall* oldest = nullptr;
    for (const PluginInstall& install : installs) {
        if (install.spec.workspace != workspace || install.spec.plugin != plugin) continue;
        if (!oldest || is_older(install, *oldest)) oldest = &install;
    }
    return oldest;
}

}  // namespace atelier::reconcilers
