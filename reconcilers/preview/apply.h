// The writes of a plan whose forecast was just made again and is the same.
#pragma once

#include <string>
#include <vector>

#include "reconcilers/objects.h"
#include "reconcilers/preview/preview.h"

namespace atelier::reconcilers::preview {

// First the Orgs that are there are bound to their artifacts, then what workspaces read, then
// templates, Orgs, workspaces and the rest are written, then templates that must look at their
// source are asked to. "Org acme configured", one for each object that was written. Code::conflict
// when somebody else changed one of them meanwhile; what was written before stays written.
Result<std::vector<std::string>> write_plan(const Tools& tools, Objects& objects,
                                            const Answer& answer, Instant now);

}  // namespace atelier::reconcilers::preview
