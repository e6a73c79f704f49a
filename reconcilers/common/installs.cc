#include "reconcilers/common/installs.h"

#include <tuple>

namespace atelier::reconcilers {
namespace {

using crds::PluginInstall;

// Installs that were made by hand may lack the label; they are decoded to see.
Result<std::vector<PluginInstall>> installs_by(const Objects& objects, const std::string& ns,
                                               std::string_view label,
                                               std::string crds::PluginInstallSpec::*member,
                                               const std::string& value) {
    auto installs = TRY(objects.list<PluginInstall>(ns, [&](const crds::Meta& meta) {
        const std::string labelled = meta.label(label);
        return labelled.empty() || labelled == value;
    }));
    std::erase_if(installs,
                  [&](const PluginInstall& install) { return install.spec.*member != value; });
    return installs;
}

bool is_older(const PluginInstall& a, const PluginInstall& b) {
    return std::tie(a.meta.created_at, a.meta.name) < std::tie(b.meta.created_at, b.meta.name);
}

}  // namespace

Result<std::vector<PluginInstall>> installs_of_workspace(const Objects& objects,
                                                         const std::string& ns,
                                                         const std::string& workspace) {
    return installs_by(objects, ns, crds::label::workspace, &crds::PluginInstallSpec::workspace,
                       workspace);
}

Result<std::vector<PluginInstall>> installs_of_plugin(const Objects& objects, const std::string& ns,
                                                      const std::string& plugin) {
    return installs_by(objects, ns, crds::label::plugin, &crds::PluginInstallSpec::plugin, plugin);
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
