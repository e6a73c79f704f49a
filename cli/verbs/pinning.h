// What the verbs revert and follow share.
#pragma once

#include <string>

#include "cli/objects/org_revisions.h"
#include "cli/session/session.h"

namespace atelier::cli {

// Forecasts what happens when the Org's spec.revision becomes `revision` (empty: the Org follows
// its template), prints the forecast, and applies it after --yes or a typed "yes". Returns the exit
// code.
Result<int> pin_org(Session& session, const OrgRevisions& all, const std::string& revision);

}  // namespace atelier::cli
