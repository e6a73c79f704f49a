// The status of an OrgTemplate as a function of what was observed and planned. Pure.
#pragma once

#include <optional>

#include "crds/org_template.h"
#include "reconcilers/org_template/plan.h"

namespace atelier::reconcilers::org_template {

// `failure`: of the first action that failed. While the source cannot be read or compiled, or the
// result cannot be stored, the last good artifact and its history stay in the status.
crds::OrgTemplateStatus status(const crds::OrgTemplate& object, const Observed& observed,
                               const Plan& plan, const std::optional<Error>& failure, Instant now);

}  // namespace atelier::reconcilers::org_template
