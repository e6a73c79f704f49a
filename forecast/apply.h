// The writes of a plan whose forecast was just made again and is the same.
#pragma once

#include <string>
#include <vector>

#include "forecast/forecaster.h"

namespace atelier::forecast {

// The plan's own Secret as it is to be once the plan is applied, and its revision as it was read.
struct Receipt {
    ProposedObject secret;
    Revision observed = 0;
};

// In one transaction, all or nothing: the objects are written, the Orgs of the plan are bound to
// their artifacts, templates that must look at their source are asked to, the receipt is written;
// and all that the plan is about is still what it was. "Org acme configured", one for each object
// of the plan that was written. Code::conflict when somebody else changed something meanwhile, with
// a Cause for each object; nothing is written then. After unavailable it may be that all is
// written, and the receipt tells.
Result<std::vector<std::string>> write_plan(const Tools& tools, const Answer& answer,
                                            const Receipt& receipt, Instant now);

}  // namespace atelier::forecast
