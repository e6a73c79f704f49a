// What comes of OrgTemplates and Orgs, told once the reconcilers rest over the overlay.
#pragma once

#include <map>
#include <set>
#include <string>

#include "forecast/convergence.h"
#include "forecast/request.h"

namespace atelier::forecast {

// What the workspaces of those Orgs need to know.
struct OrgEffects {
    std::map<std::string, Duration> grace;  // of the volumes, by Org
    std::set<Key> pending;                  // workspaces whose deletion waits
    std::int64_t owned = 0;                 // workspaces
};

// Fills items of templates and Orgs, blockers, what each Org follows, and the values that it gives.
Result<OrgEffects> forecast_orgs(ForecastContext& context, Convergence& convergence,
                                 const Request& request);

}  // namespace atelier::forecast
