// Conditions and reasons of a Org (docs/reference/conditions.md lists them for users).
#pragma once

#include <string_view>

namespace atelier::crds::org::condition {

// Every workspace of the template is declared as the template says.
inline constexpr std::string_view inventory_ready = "InventoryReady";
// Present while the Org stays at one revision: True when that revision is known.
inline constexpr std::string_view pinned = "Pinned";
// Present while workspaces that the template no longer has wait for a confirmation or for
// something else.
inline constexpr std::string_view prune_blocked = "PruneBlocked";
// Every required variable is given by some layer of the environment.
inline constexpr std::string_view env_satisfied = "EnvSatisfied";
// Present while Workspaces of other owners have names that the template needs.
inline constexpr std::string_view name_conflict = "NameConflict";
// Present while Workspaces that were to be adopted cannot be.
inline constexpr std::string_view adoption_refused = "AdoptionRefused";
// Present while workspaces of the template were given out of the care of the Org.
inline constexpr std::string_view workspaces_released = "WorkspacesReleased";
// Present while channels are left out because a variable of theirs is not given.
inline constexpr std::string_view channels_skipped = "ChannelsSkipped";
// Present while Secrets of personas do not exist.
inline constexpr std::string_view persona_missing = "PersonaMissing";
// Present while the world is no longer the one that an applied forecast was made for.
inline constexpr std::string_view plan_moved = "PlanMoved";
// About the artifact that its message names: Unknown while it is being applied, True once it is,
// False when it cannot be.
inline constexpr std::string_view imported = "Imported";

}  // namespace atelier::crds::org::condition

namespace atelier::crds::org::reason {

// Every declared workspace is Ready.
inline constexpr std::string_view all_ready = "AllReady";
// Workspaces are being made or are not Ready yet.
inline constexpr std::string_view progressing = "Progressing";
// The Org is being deleted with its workspaces.
inline constexpr std::string_view deleting = "Deleting";
// The store refused a write for a reason that only another spec ends.
inline constexpr std::string_view refused = "Refused";
// Workspaces of that name exist and are not this Org's.
inline constexpr std::string_view name_conflict = "NameConflict";
// A workspace of the template cannot be declared; the message says why.
inline constexpr std::string_view invalid_workspace = "InvalidWorkspace";
// There is no OrgTemplate of the name in spec.templateRef.
inline constexpr std::string_view template_not_found = "TemplateNotFound";
// The revision in spec.revision is not in the history of the template.
inline constexpr std::string_view revision_unknown = "RevisionUnknown";
// The compiled tree of the revision is not in the tree store.
inline constexpr std::string_view artifact_missing = "ArtifactMissing";
// The OrgTemplate does not compile or cannot be read.
inline constexpr std::string_view template_not_ready = "TemplateNotReady";
// The OrgTemplate is not compiled yet.
inline constexpr std::string_view waiting_for_template = "WaitingForTemplate";
// What was forecast is no longer what would happen, so nothing is changed.
inline constexpr std::string_view plan_moved = "PlanMoved";
// The template does not have the planned environment yet.
inline constexpr std::string_view waiting_for_plan = "WaitingForPlan";
// Every workspace of the template is declared.
inline constexpr std::string_view applied = "Applied";
// Actions are left to do; the message lists them.
inline constexpr std::string_view pending = "Pending";
// The pinned revision is the newest one.
inline constexpr std::string_view at_newest = "AtNewest";
// The template has a newer revision.
inline constexpr std::string_view behind = "Behind";
// The workspaces carry the annotation that protects them.
inline constexpr std::string_view is_protected = "Protected";
// The template has no workspaces at all.
inline constexpr std::string_view empty_desired_set = "EmptyDesiredSet";
// More workspaces would be deleted than spec.prune.maxPercent allows.
inline constexpr std::string_view max_percent_exceeded = "MaxPercentExceeded";
// Nothing is deleted while workspaces of the template cannot be made.
inline constexpr std::string_view others_blocked = "OthersBlocked";
// Every required variable is given.
inline constexpr std::string_view all_given = "AllGiven";
// Required variables are not given.
inline constexpr std::string_view required_missing = "RequiredMissing";
// spec.envFrom names a Secret or ConfigMap that does not exist.
inline constexpr std::string_view source_missing = "SourceMissing";
// Recommended variables are not given.
inline constexpr std::string_view recommended_missing = "RecommendedMissing";
// The names are those of other Workspaces.
inline constexpr std::string_view name_taken = "NameTaken";
// The Workspaces differ in what cannot be changed, or have another owner.
inline constexpr std::string_view cannot_be_adopted = "CannotBeAdopted";
// Somebody asked for these workspaces to be left alone.
inline constexpr std::string_view released = "Released";
// A variable of the channel is not given.
inline constexpr std::string_view variable_missing = "VariableMissing";
// The Secret of the persona does not exist.
inline constexpr std::string_view secret_missing = "SecretMissing";
// The values of the environment are not those of the applied forecast.
inline constexpr std::string_view environment_changed = "EnvironmentChanged";
// The template has another revision than the applied forecast.
inline constexpr std::string_view template_went_on = "TemplateWentOn";
// The artifact is being applied.
inline constexpr std::string_view started = "Started";
// The artifact cannot be applied until somebody acts; the message says why.
inline constexpr std::string_view failed = "Failed";
// The Org was deleted before the artifact was applied.
inline constexpr std::string_view deleted = "Deleted";

}  // namespace atelier::crds::org::reason
