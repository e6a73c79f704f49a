#include "reconcilers/org/status.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "crds/template_revision.h"
#include "reconcilers/common/status.h"
#include "reconcilers/org/planned.h"

namespace atelier::reconcilers {
namespace {

using crds::ConditionStatus;

constexpr std::size_t most_named = 10;
constexpr std::size_t most_remembered = 20;

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

void count(crds::OrgStatus& status, const OrgObserved& observed, const Desired* desired) {
    std::set<std::string> wanted;
    if (desired) {
        for (const DesiredWorkspace& workspace : desired->workspaces) {
            if (!observed.released.contains(workspace.name)) wanted.insert(workspace.name);
        }
        status.counts.desired = static_cast<std::int64_t>(wanted.size());
    }
    status.counts.owned = 0;
    status.counts.ready = 0;
    for (const crds::Workspace& workspace : observed.owned) {
        ++status.counts.owned;
        const bool counts = !desired || wanted.contains(workspace.meta.name);
        if (counts && is_ready(workspace)) ++status.counts.ready;
    }
}

struct Blocker {
    std::string_view reason;
    std::string message;
    bool passes = false;  // without anybody's help: what it waits for is being tried again
};

// What keeps the Org from getting on without somebody's help.
std::optional<Blocker> blocker_of(const crds::Org& org, const OrgOutcome& outcome) {
    if (outcome.failure) {
        const Code code = outcome.failure->code;
        if (code == Code::invalid || code == Code::forbidden || code == Code::unsupported) {
            return Blocker{"Refused", outcome.failure->message};
        }
    }
    if (!outcome.plan) return std::nullopt;
    if (!outcome.plan->conflicts.empty()) {
        return Blocker{"NameConflict",
                       fmt::format("workspaces of that name exist and are not this Org's: {}; to "
                                   "make one this Org's: atelier adopt {} --org {}",
                                   some_of(outcome.plan->conflicts),
                                   outcome.plan->conflicts.front(), org.meta.name)};
    }
    if (!outcome.plan->problems.empty()) {
        return Blocker{"InvalidWorkspace", some_of(outcome.plan->problems)};
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

// Why there is nothing to follow; the template's own conditions tell the rest.
Blocker missing_template(const crds::Org& org, const OrgObserved& observed) {
    const std::string& name = org.spec.template_ref.name;
    if (!observed.source) {
        return {"TemplateNotFound", fmt::format("there is no OrgTemplate {}", name)};
    }
    if (observed.unknown_revision) {
        return {"RevisionUnknown",
                fmt::format("{}; nothing is changed: choose one with `atelier revert {} --to "
                            "REVISION`, or follow the template with `atelier follow {}`",
                            observed.unknown_revision->message, org.meta.name, org.meta.name)};
    }
    const crds::Condition* ready = observed.source->status.find(crds::condition::ready);
    if (observed.pinned && observed.revision &&
        observed.revision->artifact_digest != observed.source->status.artifact_digest) {
        return {"ArtifactMissing",
                fmt::format("the compiled tree of revision {} is no longer here: choose another, "
                            "or follow the template with `atelier follow {}`",
                            observed.revision->revision, org.meta.name)};
    }
    if (ready && ready->status == ConditionStatus::no) {
        return {"TemplateNotReady", fmt::format("OrgTemplate {}: {}", name, ready->message),
                !observed.source->status.is_true(crds::condition::stalled)};
    }
    if (!observed.source->status.artifact_digest.empty()) {
        return {
            "ArtifactMissing",
            fmt::format("the compiled tree of OrgTemplate {} is not here: it is compiled anew at "
                        "its next interval",
                        name),
            true};
    }
    return {"WaitingForTemplate", fmt::format("OrgTemplate {} is not compiled yet", name), true};
}

// Where it stands, and what the template has by now.
void set_pinned(crds::OrgStatus& status, const OrgObserved& observed, Instant now) {
    if (!observed.pinned || !observed.source) {
        status.clear(condition::pinned);
    } else if (!observed.revision) {
        set_condition(status, condition::pinned, ConditionStatus::no, "RevisionUnknown",
                      observed.unknown_revision->message, now);
    } else {
        const crds::TemplateRevision& at = *observed.revision;
        const crds::OrgTemplateStatus& source = observed.source->status;
        const bool newest = source.artifact_digest == at.artifact_digest;
        set_condition(status, condition::pinned, ConditionStatus::yes,
                      newest ? "AtNewest" : "Behind",
                      fmt::format("kept at revision {}{}{}; the template has {}", at.revision,
                                  at.subject.empty() ? "" : ": ", at.subject, source.revision),
                      now);
    }
}

// Each time the Org turned to another revision.
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
        // What was confirmed stays written down until the last of it is marked (prune.cc).
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

void set_told(crds::OrgStatus& status, std::string_view type, std::string_view reason,
              const std::vector<std::string>& names, Instant now) {
    if (names.empty()) {
        status.clear(type);
    } else {
        set_condition(status, type, ConditionStatus::yes, reason, some_of(names), now);
    }
}

}  // namespace

crds::OrgStatus suspended_status(const crds::Org& org, Instant now) {
    auto status = begun(org);
    status.clear(crds::condition::reconciling);
    status.clear(crds::condition::stalled);
    set_condition(status, crds::condition::suspended, ConditionStatus::yes, "Suspended",
                  "spec.suspend is true: nothing is created, changed or deleted", now);
    return status;
}

crds::OrgStatus status_of(const crds::Org& org, const OrgOutcome& outcome, Instant now) {
    auto status = begun(org);
    status.clear(crds::condition::suspended);
    status.clear(condition::plan_moved);
    count(status, outcome.observed, outcome.desired);
    set_pinned(status, outcome.observed, now);
    if (!outcome.desired || !outcome.plan) {
        const Blocker missing = missing_template(org, outcome.observed);
        set_unready(status, missing.passes ? std::nullopt : std::optional(missing), missing.reason,
                    missing.message, now);
        set_condition(status, condition::inventory_ready, ConditionStatus::unknown, missing.reason,
                      missing.message, now);
        return status;
    }

    status.set(env_condition(org, *outcome.observed.compiled, outcome.observed), now);
    set_told(status, condition::name_conflict, "NameTaken", outcome.plan->conflicts, now);
    set_told(status, condition::adoption_refused, "CannotBeAdopted", outcome.plan->refused, now);
    set_told(status, condition::released, "Released",
             {outcome.observed.released.begin(), outcome.observed.released.end()}, now);
    set_told(status, condition::channels_skipped, "VariableMissing",
             outcome.desired->skipped_channels, now);
    set_told(status, condition::persona_missing, "SecretMissing", outcome.desired->missing_personas,
             now);
    set_prune(status, outcome.plan->prune, now);

    const bool settled = !outcome.failure && outcome.plan->actions.empty() &&
                         outcome.plan->conflicts.empty() && outcome.plan->problems.empty() &&
                         outcome.plan->waiting.empty();
    if (settled) {
        const crds::TemplateRevision& runs = *outcome.observed.revision;
        status.revision =
            outcome.observed.pinned ? runs.revision : outcome.observed.source->status.revision;
        status.artifact_digest = runs.artifact_digest;
        remember(status, org, runs, now);
        set_condition(status, condition::inventory_ready, ConditionStatus::yes, "Applied",
                      "every workspace of the template is declared", now);
    } else {
        set_condition(
            status, condition::inventory_ready, ConditionStatus::no, "Pending",
            outcome.failure ? outcome.failure->message : text_of(*outcome.plan).substr(0, 1000),
            now);
    }
    const std::string progress =
        fmt::format("{}/{} ready", status.counts.ready, status.counts.desired);
    if (settled && status.counts.ready == status.counts.desired) {
        set_condition(status, crds::condition::ready, ConditionStatus::yes, "AllReady", progress,
                      now);
        status.clear(crds::condition::reconciling);
        status.clear(crds::condition::stalled);
        return status;
    }
    set_unready(status, blocker_of(org, outcome), "Progressing",
                outcome.failure ? progress + "; " + outcome.failure->message : progress, now);
    return status;
}

crds::OrgStatus deleting_status(const crds::Org& org, const OrgOutcome& outcome, Instant now) {
    auto status = begun(org);
    count(status, outcome.observed, nullptr);
    set_prune(status, outcome.plan->prune, now);
    const std::string message =
        outcome.failure ? outcome.failure->message
        : !outcome.plan->prune.pending.empty()
            ? outcome.plan->prune.message
            : fmt::format("{} workspaces are being deleted", status.counts.owned);
    set_condition(status, crds::condition::ready, ConditionStatus::no, "Deleting", message, now);
    const bool held = !outcome.failure && !outcome.plan->prune.pending.empty();
    set_condition(status, held ? crds::condition::stalled : crds::condition::reconciling,
                  ConditionStatus::yes, "Deleting", message, now);
    status.clear(held ? crds::condition::reconciling : crds::condition::stalled);
    return status;
}

}  // namespace atelier::reconcilers
