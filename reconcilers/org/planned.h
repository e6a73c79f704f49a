// An Org that was told to go to one artifact and to no other: a plan was applied that promised just
// that (reconcilers/preview). Pure.
#pragma once

#include <optional>
#include <string>

#include "crds/org.h"
#include "reconcilers/org/observed.h"

namespace atelier::reconcilers {

namespace annotation {
// The digest of the artifact that a plan promised. Taken off once the Org is there.
inline constexpr std::string_view planned_artifact = "atelier.dev/planned-artifact";
}  // namespace annotation

namespace condition {
inline constexpr std::string_view plan_moved = "PlanMoved";  // only while that is so
}  // namespace condition

// Why an Org stays as it is, although its template may have something new for it.
struct PlanHold {
    bool moved = false;  // the template went on to something else; else it is not there yet
    std::string message;
};

// nullopt: there is no plan, or what it promised is what the template has.
std::optional<PlanHold> hold_of(const crds::Org& org, const OrgObserved& observed);

// The status of an Org that is held: what it has stays applied.
crds::OrgStatus held_status(const crds::Org& org, const OrgObserved& observed, const PlanHold& hold,
                            Instant now);

}  // namespace atelier::reconcilers
