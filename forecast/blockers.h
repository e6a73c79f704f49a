// What stands in the way, from the statuses that the reconcilers wrote over an overlay. Pure.
#pragma once

#include <vector>

#include "crds/org.h"
#include "crds/org_template.h"
#include "forecast/forecast.h"

namespace atelier::forecast {

// `needed`: an Org follows it. What is wrong with it now does not block Orgs that are all pinned.
void add_blockers(const crds::OrgTemplate& source, bool needed, std::vector<Blocker>& blockers);
void add_blockers(const crds::Org& org, std::vector<Blocker>& blockers);

}  // namespace atelier::forecast
