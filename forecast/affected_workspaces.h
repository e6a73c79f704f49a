// Which workspaces a plan may concern.
#pragma once

#include <map>
#include <set>
#include <vector>

#include "forecast/context.h"
#include "forecast/workspace_step.h"

namespace atelier::forecast {

struct AffectedWorkspaces {
    std::set<Key> workspaces;
    std::set<Key> direct;  // those of them that need no Org for it: whether it is suspended or not
    std::map<Key, std::vector<PluginChange>> plugins;
};

// Those that were written over the overlay, those that read values that change, and those whose
// plugins change.
Result<AffectedWorkspaces> find_affected_workspaces(ForecastContext& context);

}  // namespace atelier::forecast
