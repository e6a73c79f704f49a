// What happens to one workspace: its spec and its environment as they are against as they would be,
// in the words of the Workspace reconciler (workspace/unit.h, workspace/plan.h). Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "crds/workspace.h"
#include "forecast/forecast.h"
#include "reconcilers/workspace/plan.h"

namespace atelier::forecast {

// A workspace and what its reconciler sees of it, in one of the two worlds.
struct Side {
    crds::Workspace workspace;
    reconcilers::workspace::Observed observed;
    std::map<std::string, std::string> denied;  // of its plugins, by which PluginPolicy
};

// A plugin of the workspace that gets another version without anybody changing the workspace.
struct PluginChange {
    std::string plugin;
    crds::ChangeClass change = crds::ChangeClass::cold;
};

struct Judged {
    Item item;
    std::vector<Blocker> blockers;
};

// `before` absent: it is made. `after` absent: it goes. `key`: of the fingerprints.
Judged judge(const std::optional<Side>& before, const std::optional<Side>& after,
             const std::vector<PluginChange>& plugins, const std::string& key, Instant now);

}  // namespace atelier::forecast
