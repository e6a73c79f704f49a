// The question of a plan, put to the overlay: objects as if they were applied, Orgs as if they were
// resumed and not bound to an earlier plan.
#pragma once

#include <map>
#include <set>
#include <string>

#include "forecast/context.h"
#include "reconcilers/org/planned.h"

namespace atelier::forecast {

struct Request {
    std::set<Key> due;                // OrgTemplates and Orgs to look at
    std::set<std::string> suspended;  // names of Orgs that would have to be resumed first
    std::map<std::string, reconcilers::Bond> bound;  // Org -> what an earlier plan promised
};

// Fills the candidates, their bases and the items of objects that are no workspaces. Errors:
// invalid (with causes) and not_found.
Result<Request> apply_request(ForecastContext& context);

}  // namespace atelier::forecast
