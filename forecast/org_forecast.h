// The part of a forecast about OrgTemplates and Orgs, once the reconcilers have come to rest.
#pragma once

#include <map>
#include <set>
#include <string>

#include "forecast/apply_request.h"
#include "forecast/convergence.h"

namespace atelier::forecast {

// What the comparison of workspaces needs to know of their Orgs.
struct OrgEffects {
    std::map<std::string, Duration> grace;  // spec.prune.volumeGrace, by name of the Org
    std::set<Key> pending;                  // workspaces whose deletion waits for somebody
    std::int64_t owned = 0;                 // workspaces that these Orgs own in the overlay
};

// Fills the items of templates and Orgs, their blockers, the artifact that each Org follows, and
// the values that it hands to workspaces.
Result<OrgEffects> forecast_orgs(ForecastContext& context, Convergence& convergence,
                                 const AppliedRequest& applied);

}  // namespace atelier::forecast
