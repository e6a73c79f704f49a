#include "reconcilers/org/status.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "crds/conditions.h"
#include "crds/org_conditions.h"
#include "crds/template_revision.h"
#include "reconcilers/common/status.h"
#include "reconcilers/environment/env_condition.h"

namespace atelier::reconcilers::org {
namespace {

namespace condition = crds::org::condition;
namespace reason = crds::org::reason;

using crds::ConditionStatus;

constexpr std::size_t most_named = 10;
constexpr std::size_t most_remembered = 20;  // entries of status.history
constexpr std::size_t longest_plan = 1000;   // bytes of the plan that are shown

std::string some_of(const std::vector<std::string>& all) {
    std::vector<std::string> first(
        all.begin(), all.begin() + static_cast<std::ptrdiff_t>(std::min(all.size(), most_named)));
    std::string text = join(first, "; ");
    if (all.size() > most_named) text += fmt::format("; and {} more", all.size() - most_named);
    return text;
}

bool is_ready(const crds::Workspace& workspace) {
    return !workspace.being_deleted() &&
           workspace.status.observed_generation == workspace.meta.generation &&
           workspace.status.is_true(crds::condition::ready);
}

void count(crds::OrgStatus& status, const Observed& observed, const Plan& plan) {
    std::set<std::string> wanted;
    if (plan.desired) {
        for (const DesiredWorkspace& workspace : plan.desired->workspaces) {
            if (!observed.released.contains(workspace.name)) wanted.insert(workspace.name);
        }
        status.counts.desired = static_cast<std::int64_t>(wanted.size());
    }
    status.counts.owned = 0;
    status.counts.ready = 0;
    for (const crds::Workspace& workspace : observed.owned) {
        ++status.counts.owned;
        const bool counts = !plan.desired || wanted.contains(workspace.meta.name);
        if (counts && is_ready(workspace)) ++status.counts.ready;
    }
}

struct Blocker {
    std::string_view reason;
    std::string message;
    bool passes = false;  // nobody has to act: what it waits for is tried again
};

// What keeps the Org from making progress until somebody acts.
std::optional<Blocker> blocker_of(const crds::Org& org, const Plan& plan,
                                  const std::optional<Error>& failure) {
    if (failure) {
        const Code code = failure->code;
        if (code == Code::invalid || code == Code::forbidden || code == Code::unsupported) {
            return Blocker{reason::refused, failure->message};
        }
    }
    if (!plan.conflicts.empty()) {
        return Blocker{reason::name_conflict,
                       fmt::format("workspaces of that name exist and are not this Org's: {}; to "
                                   "make one this Org's: atelier adopt {} --org {}",
                                   some_of(plan.conflicts), plan.conflicts.front(), org.meta.name)};
    }
    if (!plan.problems.empty()) {
        return Blocker{reason::invalid_workspace, some_of(plan.problems)};
    }
    return std::nullopt;
}

void set_unready(crds::OrgStatus& status, const std::optional<Blocker>& blocker,
                 std::string_view reason, const std::string& message, Instant now) {
    if (blocker) {
        set_condition(status, crds::condition::ready, ConditionStatus::no, blocker->reason,
                      blocker->message, now);
        set_condition(status, crds::condition::stalled, ConditionStatus::yes, blocker->reason,
                      blocker->message, now);
        status.clear(crds::condition::reconciling);
        return;
    }
    set_condition(status, crds::condition::ready, ConditionStatus::no, reason, message, now);
    set_condition(status, crds::condition::reconciling, ConditionStatus::yes, reason, message, now);
    status.clear(crds::condition::stalled);
}

// Why there is no compiled tree to follow. The template's own conditions say more.
Blocker missing_template(const crds::Org& org, const Observed& observed) {
    const std::string& name = org.spec.template_ref.name;
    if (!observed.source) {
        return {reason::template_not_found, fmt::format("there is no OrgTemplate {}", name)};
    }
    if (observed.unknown_revision) {
        return {reason::revision_unknown,
                fmt::format("{}; nothing is changed: choose one with `atelier revert {} --to "
                            "REVISION`, or follow the template with `atelier follow {}`",
                            observed.unknown_revision->message, org.meta.name, org.meta.name)};
    }
    const crds::Condition* ready = observed.source->status.find(crds::condition::ready);
    if (observed.pinned && observed.revision &&
        observed.revision->artifact_digest != observed.source->status.artifact_digest) {
        return {reason::artifact_missing,
                fmt::format("the compiled tree of revision {} is no longer here: choose another, "
                            "or follow the template with `atelier follow {}`",
                            observed.revision->revision, org.meta.name)};
    }
    if (ready && ready->status == ConditionStatus::no) {
        return {reason::template_not_ready, fmt::format("OrgTemplate {}: {}", name, ready->message),
                !observed.source->status.is_true(crds::condition::stalled)};
    }
    if (!observed.source->status.artifact_digest.empty()) {
        return {
            reason::artifact_missing,
            fmt::format("the compiled tree of OrgTemplate {} is not here: it is compiled again at "
                        "its next interval",
                        name),
            true};
    }
    return {reason::waiting_for_template, fmt::format("OrgTemplate {} is not compiled yet", name),
            true};
}

// The revision that the Org is pinned to, and the newest one of the template.
void set_pinned(crds::OrgStatus& status, const Observed& observed, Instant now) {
    if (!observed.pinned || !observed.source) {
        status.clear(condition::pinned);
    } else if (!observed.revision) {
        set_condition(status, condition::pinned, ConditionStatus::no, reason::revision_unknown,
                      observed.unknown_revision->message, now);
    } else {
        const crds::TemplateRevision& at = *observed.revision;
        const crds::OrgTemplateStatus& source = observed.source->status;
        const bool newest = source.artifact_digest == at.artifact_digest;
        set_condition(status, condition::pinned, ConditionStatus::yes,
                      newest ? reason::at_newest : reason::behind,
                      fmt::format("kept at revision {}{}{}; the template has {}", at.revision,
                                  at.subject.empty() ? "" : ": ", at.subject, source.revision),
                      now);
    }
}

// The history gets an entry each time the Org has turned to another revision.
void remember(crds::OrgStatus& status, const crds::Org& org, const crds::TemplateRevision& revision,
              Instant now) {
    auto& history = status.history;
    if (!history.empty() && history.front().revision == revision.revision &&
        history.front().artifact_digest == revision.artifact_digest) {
        return;
    }
    history.insert(history.begin(),
                   {.revision = revision.revision,
                    .artifact_digest = revision.artifact_digest,
                    .applied_at = now,
                    .by = org.spec.revision.empty() ? "template" : crds::person_of_revision(org)});
    if (history.size() > most_remembered) history.resize(most_remembered);
}

void set_prune(crds::OrgStatus& status, const PruneDecision& prune, Instant now) {
    if (!prune.confirmed.empty()) {
        // The confirmed set stays in the status until its last workspace is marked for deletion:
        // confirmation_of() reads it when that was interrupted (prune.cc).
        if (status.pending_prune_digest != prune.confirmed) {
            status.pending_prune = prune.remove;
            std::sort(status.pending_prune.begin(), status.pending_prune.end());
            status.pending_prune_digest = prune.confirmed;
        }
        status.clear(condition::prune_blocked);
        return;
    }
    status.pending_prune = prune.pending;
    status.pending_prune_digest = prune.digest;
    if (prune.pending.empty()) {
        status.clear(condition::prune_blocked);
    } else {
        set_condition(status, condition::prune_blocked, ConditionStatus::yes, prune.reason,
                      prune.message, now);
    }
}

void set_list(crds::OrgStatus& status, std::string_view type, std::string_view reason,
              const std::vector<std::string>& names, Instant now) {
    if (names.empty()) {
        status.clear(type);
    } else {
        set_condition(status, type, ConditionStatus::yes, reason, some_of(names), now);
    }
}

crds::OrgStatus suspended_status(const crds::Org& org, Instant now) {
    auto status = begun(org);
    status.clear(crds::condition::reconciling);
    status.clear(crds::condition::stalled);
    set_condition(status, crds::condition::suspended, ConditionStatus::yes, crds::reason::suspended,
                  "spec.suspend is true: nothing is created, changed or deleted", now);
    return status;
}

// What the Org has stays applied.
crds::OrgStatus held_status(const crds::Org& org, const Observed& observed, const Plan& plan,
                            Instant now) {
    auto status = begun(org);
    status.clear(crds::condition::suspended);
    count(status, observed, plan);
    const Hold& hold = *plan.hold;
    if (hold.moved) {
        set_condition(status, condition::plan_moved, ConditionStatus::yes, hold.reason,
                      hold.message, now);
        set_unready(status, Blocker{reason::plan_moved, hold.message}, "", "", now);
        return status;
    }
    status.clear(condition::plan_moved);
    set_unready(status, std::nullopt, reason::waiting_for_plan, hold.message, now);
    return status;
}

void set_missing_template(crds::OrgStatus& status, const crds::Org& org, const Observed& observed,
                          Instant now) {
    const Blocker missing = missing_template(org, observed);
    set_unready(status, missing.passes ? std::nullopt : std::optional(missing), missing.reason,
                missing.message, now);
    set_condition(status, condition::inventory_ready, ConditionStatus::unknown, missing.reason,
                  missing.message, now);
}

void set_findings(crds::OrgStatus& status, const crds::Org& org, const Observed& observed,
                  const Plan& plan, Instant now) {
    status.set(env_condition(org, *observed.compiled, observed), now);
    set_list(status, condition::name_conflict, reason::name_taken, plan.conflicts, now);
    set_list(status, condition::adoption_refused, reason::cannot_be_adopted, plan.refused, now);
    set_list(status, condition::workspaces_released, reason::released,
             {observed.released.begin(), observed.released.end()}, now);
    set_list(status, condition::channels_skipped, reason::variable_missing,
             plan.desired->skipped_channels, now);
    set_list(status, condition::persona_missing, reason::secret_missing,
             plan.desired->missing_personas, now);
    set_prune(status, plan.prune, now);
}

// Everything that the template asks for is declared, whether it runs already or not.
void set_applied(crds::OrgStatus& status, const crds::Org& org, const Observed& observed,
                 Instant now) {
    const crds::TemplateRevision& runs = *observed.revision;
    status.revision = observed.pinned ? runs.revision : observed.source->status.revision;
    status.artifact_digest = runs.artifact_digest;
    remember(status, org, runs, now);
    set_condition(status, condition::inventory_ready, ConditionStatus::yes, reason::applied,
                  "every workspace of the template is declared", now);
}

crds::OrgStatus live_status(const crds::Org& org, const Observed& observed, const Plan& plan,
                            const std::optional<Error>& failure, Instant now) {
    auto status = begun(org);
    status.clear(crds::condition::suspended);
    status.clear(condition::plan_moved);
    count(status, observed, plan);
    set_pinned(status, observed, now);
    if (!plan.desired) {
        set_missing_template(status, org, observed, now);
        return status;
    }
    set_findings(status, org, observed, plan, now);
    const bool settled = !failure && plan.actions.empty() && plan.conflicts.empty() &&
                         plan.problems.empty() && plan.waiting.empty();
    if (settled) {
        set_applied(status, org, observed, now);
    } else {
        set_condition(status, condition::inventory_ready, ConditionStatus::no, reason::pending,
                      failure ? failure->message : text_of(plan).substr(0, longest_plan), now);
    }
    const std::string progress =
        fmt::format("{}/{} ready", status.counts.ready, status.counts.desired);
    if (settled && status.counts.ready == status.counts.desired) {
        set_condition(status, crds::condition::ready, ConditionStatus::yes, reason::all_ready,
                      progress, now);
        status.clear(crds::condition::reconciling);
        status.clear(crds::condition::stalled);
        return status;
    }
    set_unready(status, blocker_of(org, plan, failure), reason::progressing,
                failure ? progress + "; " + failure->message : progress, now);
    return status;
}

crds::OrgStatus deleting_status(const crds::Org& org, const Observed& observed, const Plan& plan,
                                const std::optional<Error>& failure, Instant now) {
    auto status = begun(org);
    count(status, observed, plan);
    set_prune(status, plan.prune, now);
    const bool held = !failure && !plan.prune.pending.empty();
    const std::string message =
        failure ? failure->message
        : held  ? plan.prune.message
                : fmt::format("{} workspaces are being deleted", status.counts.owned);
    set_condition(status, crds::condition::ready, ConditionStatus::no, reason::deleting, message,
                  now);
    set_condition(status, held ? crds::condition::stalled : crds::condition::reconciling,
                  ConditionStatus::yes, reason::deleting, message, now);
    status.clear(held ? crds::condition::reconciling : crds::condition::stalled);
    return status;
}

}  // namespace

crds::OrgStatus status(const crds::Org& org, const Observed& observed, const Plan& plan,
                       const std::optional<Error>& failure, Instant now) {
    if (org.being_deleted()) return deleting_status(org, observed, plan, failure, now);
    if (org.spec.suspend) return suspended_status(org, now);
    if (plan.hold) return held_status(org, observed, plan, now);
    return live_status(org, observed, plan, failure, now);
}

}  // namespace atelier::reconcilers::org
