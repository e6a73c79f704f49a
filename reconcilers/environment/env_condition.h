// The condition EnvSatisfied of an Org. Pure.
#pragma once

#include "crds/org.h"
#include "reconcilers/org/observe.h"
#include "templates/compiled.h"

namespace atelier::reconcilers {

// Whether every required variable is set by some layer: spec.envFrom, a persona, the template's
// .env, or the .env of a node. What the template itself requires must be set for at least one
// workspace; what a node requires, for that workspace. The condition informs; it does not block.
crds::Condition env_condition(const crds::Org& org, const templates::CompiledOrg& compiled,
                              const org::Observed& observed);

}  // namespace atelier::reconcilers
