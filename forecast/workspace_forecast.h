// The forecast of one workspace: its present state is compared with the state that it would have,
// by the rules of the Workspace reconciler (workspace/unit.h, workspace/plan.h). Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "crds/workspace.h"
#include "forecast/forecast.h"
#include "reconcilers/workspace/plan.h"

namespace atelier::forecast {

// A workspace and what its reconciler observes of it, before or after the proposed changes.
struct WorkspaceState {
    crds::Workspace workspace;
    reconcilers::workspace::Observed observed;
    std::map<std::string, std::string> denied;  // plugins that a PluginPolicy denies, to its name
};

// A plugin that gets another version although the workspace itself does not change.
struct PluginChange {
    std::string plugin;
    crds::ChangeClass change = crds::ChangeClass::cold;
};

struct WorkspaceForecast {
    Item item;
    std::vector<Blocker> blockers;
};

// No `before`: the workspace is created. No `after`: it is deleted. `key`: for fingerprints of
// values.
WorkspaceForecast forecast_workspace(const std::optional<WorkspaceState>& before,
                                     const std::optional<WorkspaceState>& after,
                                     const std::vector<PluginChange>& plugins,
                                     const std::string& key, Instant now);

}  // namespace atelier::forecast
