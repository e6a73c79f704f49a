// The blockers of a forecast, read from the statuses that the reconcilers wrote to the overlay.
// Pure.
#pragma once

#include <vector>

#include "crds/org.h"
#include "crds/org_template.h"
#include "forecast/forecast.h"

namespace atelier::forecast {

// `needed`: some Org follows the newest revision of the template. Where all its Orgs are pinned, a
// template that does not compile is reported but does not block.
void add_blockers(const crds::OrgTemplate& source, bool needed, std::vector<Blocker>& blockers);
void add_blockers(const crds::Org& org, std::vector<Blocker>& blockers);

}  // namespace atelier::forecast
