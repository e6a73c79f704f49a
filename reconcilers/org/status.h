// The status of an Org as a function of what was observed and planned. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "crds/org.h"
#include "reconcilers/org/observe.h"
#include "reconcilers/org/plan.h"

namespace atelier::reconcilers::org {

// After actions were executed, `observed` and `plan` are those made after them, so that the
// status says what is left to do; `failure` is what stopped the execution.
crds::OrgStatus status(const crds::Org& org, const Observed& observed, const Plan& plan,
                       const std::optional<Error>& failure, Instant now);

}  // namespace atelier::reconcilers::org
