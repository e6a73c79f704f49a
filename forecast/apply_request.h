// The first step of a forecast: its request is applied to the overlay, as if the objects had been
// applied, the Orgs resumed, and earlier forecasts forgotten.
#pragma once

#include <map>
#include <set>
#include <string>

#include "forecast/context.h"
#include "reconcilers/org/binding.h"

namespace atelier::forecast {

struct AppliedRequest {
    std::set<Key> due;                // OrgTemplates and Orgs to reconcile
    std::set<std::string> suspended;  // names of Orgs that were resumed in the overlay alone
    // By name of an Org: what it is bound to by a forecast that was applied earlier.
    std::map<std::string, reconcilers::org::Binding> bound;
};

// Fills the result's proposed objects, their preconditions, and the items of objects other than
// workspaces. Errors: invalid (with causes) and not_found.
Result<AppliedRequest> apply_request(ForecastContext& context);

}  // namespace atelier::forecast
