// Which workspaces a forecast may have to compare.
#pragma once

#include <map>
#include <set>
#include <vector>

#include "forecast/context.h"
#include "forecast/workspace_forecast.h"

namespace atelier::forecast {

struct AffectedWorkspaces {
    std::set<Key> workspaces;
    std::set<Key> direct;  // those that change without their Org, also while it is suspended
    std::map<Key, std::vector<PluginChange>> plugins;
};

// The workspaces that were written in the overlay, those that read values that change, and those
// whose plugins change. After Convergence.
Result<AffectedWorkspaces> find_affected_workspaces(ForecastContext& context);

}  // namespace atelier::forecast
