// Which Events a PluginInstall's reconcile records. Pure.
#pragma once

#include <vector>

#include "crds/plugin_install.h"
#include "reconcilers/common/events.h"

namespace atelier::reconcilers::plugin_install {

// Whether `next` says for the first time that the desired version is delivered.
bool was_delivered(const crds::PluginInstall& install, const crds::PluginInstallStatus& next);
// "none", "hot" or "cold": what the last delivery changed for the agent.
std::string change_class_of(const crds::PluginInstallStatus& next);

std::vector<ObjectEvent> events(const crds::PluginInstall& install,
                                const crds::PluginInstallStatus& next);

}  // namespace atelier::reconcilers::plugin_install
