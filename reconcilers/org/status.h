// The status of an Org as a function of what is seen. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "crds/org.h"
#include "reconcilers/org/desired.h"
#include "reconcilers/org/observed.h"
#include "reconcilers/org/plan.h"

namespace atelier::reconcilers {

namespace condition {
inline constexpr std::string_view inventory_ready = "InventoryReady";
inline constexpr std::string_view pinned = "Pinned";
inline constexpr std::string_view prune_blocked = "PruneBlocked";
inline constexpr std::string_view env_satisfied = "EnvSatisfied";
inline constexpr std::string_view name_conflict = "NameConflict";
inline constexpr std::string_view adoption_refused = "AdoptionRefused";
inline constexpr std::string_view released = "WorkspacesReleased";
inline constexpr std::string_view channels_skipped = "ChannelsSkipped";
inline constexpr std::string_view persona_missing = "PersonaMissing";
}  // namespace condition

// What is left to do after acting: the plan made anew from what is seen then, and what failed.
struct OrgOutcome {
    const OrgObserved& observed;
    const Desired* desired = nullptr;  // nullptr: there is no compiled template
    const OrgPlan* plan = nullptr;
    std::optional<Error> failure;
};

crds::OrgStatus suspended_status(const crds::Org& org, Instant now);
crds::OrgStatus status_of(const crds::Org& org, const OrgOutcome& outcome, Instant now);
crds::OrgStatus deleting_status(const crds::Org& org, const OrgOutcome& outcome, Instant now);

// Whether what is required of the environment is given by any layer: spec.envFrom, a persona, the
// template's .env, or the .env of a node. What the template itself asks for must be given to some
// workspace; what a node asks for, to that one. Reports; it does not block.
crds::Condition env_condition(const crds::Org& org, const templates::CompiledOrg& compiled,
                              const OrgObserved& observed);

}  // namespace atelier::reconcilers
