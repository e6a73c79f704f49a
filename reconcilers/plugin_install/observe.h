// Reads what a PluginInstall is reconciled against: its workspace, the policies, the plugins folder
// and what the agent reports. Changes nothing.
#pragma once

#include <memory>

#include "crds/plugin_install.h"
#include "crds/workspace.h"
#include "reconcilers/common/objects.h"
#include "reconcilers/common/runtimes.h"
#include "reconcilers/plugin_install/observed.h"

namespace atelier::reconcilers::plugin_install {

struct Observation {
    Observed observed;
    std::unique_ptr<drivers::PluginFolder> folder;  // with Place::here, to act on
};

// An Error only when the store has an object that cannot be decoded; a runtime that does not answer
// is Place::unknown.
Result<Observation> observe(const crds::PluginInstall& install, const Objects& objects,
                            const Runtimes& runtimes);

}  // namespace atelier::reconcilers::plugin_install
