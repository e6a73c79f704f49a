// An Org that was told to go to one artifact with one environment and to no other: a plan was
// applied that promised just that (reconcilers/preview). Pure.
#pragma once

#include <optional>
#include <string>

#include "crds/org.h"
#include "reconcilers/org/observed.h"

namespace atelier::reconcilers {

namespace annotation {
// The digest of the artifact that a plan promised. Taken off once the Org is there.
inline constexpr std::string_view planned_artifact = "atelier.dev/planned-artifact";
// The keyed digest of the values that come with it (reconcilers/environment/planned_values.h).
inline constexpr std::string_view planned_environment = "atelier.dev/planned-environment";
}  // namespace annotation

namespace condition {
inline constexpr std::string_view plan_moved = "PlanMoved";  // only while that is so
}  // namespace condition

// Why an Org stays as it is, although its template may have something new for it.
struct PlanHold {
    bool moved = false;  // it went on to something else; else it is not there yet
    std::string reason;  // of what moved
    std::string message;
};

struct Bond {
    std::string artifact;
    std::string environment;  // empty: it promises nothing of it
    bool operator==(const Bond&) const = default;
};
bool is_bound(const crds::Meta& org);
Bond bond_of(const crds::Meta& org);
void set_bond(crds::Meta& org, const Bond& bond);
void release_bond(crds::Meta& org);

// nullopt: there is no plan, or what it promised is what there is. `key`: of the fingerprints.
std::optional<PlanHold> hold_of(const crds::Org& org, const OrgObserved& observed,
                                std::string_view key);

// The status of an Org that is held: what it has stays applied.
crds::OrgStatus held_status(const crds::Org& org, const OrgObserved& observed, const PlanHold& hold,
                            Instant now);

}  // namespace atelier::reconcilers
