#include "reconcilers/org/reconciler.h"

#include <set>

#include "crds/org_conditions.h"
#include "reconcilers/org/execute.h"
#include "reconcilers/org/interests.h"
#include "reconcilers/org/status.h"

namespace atelier::reconcilers {
namespace {

namespace condition = crds::org::condition;

constexpr std::string_view orphan_finalizer = "orphan";  // kubectl delete --cascade=orphan

std::string workspace_of(const org::Action& action) {
    struct Name {
        std::string operator()(const org::PutEnv& a) const { return a.workspace; }
        std::string operator()(const org::CreateWorkspace& a) const { return a.workspace.name; }
        std::string operator()(const org::UpdateWorkspace& a) const { return a.next.meta.name; }
        std::string operator()(const org::DeleteWorkspace& a) const {
            return a.workspace.meta.name;
        }
        std::string operator()(const org::AdoptWorkspace& a) const { return a.next.meta.name; }
        std::string operator()(const org::ReleaseWorkspace& a) const {
            return a.workspace.meta.name;
        }
        std::string operator()(const org::RemoveEnv& a) const { return a.workspace; }
        std::string operator()(const org::ReleaseOrg&) const { return {}; }
    };
    return std::visit(Name{}, action);
}

// The failure concerns one workspace alone: the actions for others go on.
bool is_of_one(const Error& error) {
    return error.code == Code::invalid || error.code == Code::forbidden ||
           error.code == Code::too_large;
}

bool releases_org(const org::Plan& plan) {
    return !plan.actions.empty() && std::holds_alternative<org::ReleaseOrg>(plan.actions.back());
}

}  // namespace

std::vector<Interest> OrgReconciler::interests() const {
    return org::interests();
}

Result<org::Observed> OrgReconciler::sources_of(const crds::Org& org, const Objects& objects) {
    return org::observe_sources(org, {objects, trees_, compiled_, fingerprint_key_});
}

Result<org::Observed> OrgReconciler::observe(const crds::Org& org) {
    return org::observe(org, {objects_, trees_, compiled_, fingerprint_key_});
}

// Observe and plan; act; then observe and plan again, and report from that: the status says what is
// there and what is left to do.
Result<Outcome> OrgReconciler::reconcile(const Key& key, Instant now) {
    auto org = TRY(objects_.find<crds::Org>(key.ns, key.name));
    if (!org) return Outcome{};
    if (org->being_deleted()) {
        if (!org->meta.has_finalizer(org::finalizer)) return Outcome{};
        // The garbage collector removes the owner references first.
        if (org->meta.has_finalizer(orphan_finalizer)) return Outcome{};
    } else if (!org->spec.suspend) {
        org = TRY(objects_.add_finalizer(*org, org::finalizer, now));
    }
    auto observed = TRY(observe(*org));
    auto plan = org::plan(*org, observed, now);
    if (plan.desired) {
        org = TRY(start_import(*org, observed, now));
        if (!org) return Outcome{};
    }
    Result<void> acted;
    if (plan.retry) {
        acted = *plan.retry;
    } else if (!plan.actions.empty()) {
        log_.info("plan", {{"org", org->key().text()}, {"plan", text_of(plan)}});
        acted = execute(*org, plan, observed, now);
        if (releases_org(plan) && acted) return Outcome{};
        const bool had_desired = plan.desired.has_value();
        observed = TRY(observe(*org));
        plan = org::plan(*org, observed, now);
        if (had_desired && !plan.desired) {
            return Error{Code::conflict, "the template changed during the reconcile"};
        }
    }
    const auto failure = acted ? std::nullopt : std::optional(acted.error());
    TRY(report(*org, observed, plan, failure, now));
    if (failure) return *failure;
    if (plan.desired && plan.actions.empty()) TRY(unbind(*org, now));
    return Outcome{};
}

// The Org with its import begun, if an import starts. nullopt: the Org is gone, or somebody wrote
// its spec meanwhile, which makes it due again.
Result<std::optional<crds::Org>> OrgReconciler::start_import(const crds::Org& org,
                                                             const org::Observed& observed,
                                                             Instant now) {
    crds::OrgStatus next = org.status;
    const auto events = org::start_import(org, observed, next, now);
    if (events.empty()) return std::optional(org);
    record_events(org, events, now);
    TRY(objects_.report(org, next, now));
    auto started = TRY(objects_.find<crds::Org>(org.meta.ns, org.meta.name));
    if (!started || started->meta.generation != org.meta.generation || started->being_deleted()) {
        return std::optional<crds::Org>();
    }
    return started;
}

// Stops at the first failure, unless it concerns one workspace alone: then the other actions for
// that workspace are skipped, and the failure is returned at the end.
Result<void> OrgReconciler::execute(const crds::Org& org, const org::Plan& plan,
                                    const org::Observed& observed, Instant now) {
    org::Executor executor(objects_, org, observed, now);
    std::optional<Error> first;
    std::set<std::string> failed;
    for (const org::Action& action : plan.actions) {
        const std::string workspace = workspace_of(action);
        if (failed.contains(workspace)) continue;
        // A workspace to be deleted may be the old form of one that could not be created.
        if (first && std::holds_alternative<org::DeleteWorkspace>(action)) continue;
        const auto done = executor.execute(action);
        count(action, static_cast<bool>(done));
        if (done) continue;
        const Error error = done.error().in(text_of(action));
        objects_.event(org, crds::EventType::warning, "ActionFailed", error.message, now);
        if (!is_of_one(error)) return error;
        failed.insert(workspace);
        if (!first) first = error;
    }
    if (first) return *first;
    return {};
}

void OrgReconciler::count(const org::Action& action, bool done) {
    if (!metrics_) return;
    metrics_
        ->counter("atelier_org_actions_total", "Actions of the Org reconciler.",
                  {{"action", std::string(verb_of(action))}, {"result", done ? "done" : "failed"}})
        .add();
}

Result<void> OrgReconciler::report(const crds::Org& org, const org::Observed& observed,
                                   const org::Plan& plan, const std::optional<Error>& failure,
                                   Instant now) {
    crds::OrgStatus next = org::status(org, observed, plan, failure, now);
    if (org.being_deleted()) {
        record_events(org, org::abort_import(org, next, now), now);
    } else if (plan.desired) {
        record_events(org, org::advance_import(org, observed, next, now), now);
    }
    if (TRY(objects_.report(org, next, now))) record_changes(org, next, now);
    return {};
}

void OrgReconciler::record_events(const crds::Org& org, const std::vector<org::ImportEvent>& events,
                                  Instant now) {
    for (const org::ImportEvent& event : events) {
        objects_.event(org, event.type, event.reason, event.message, now);
    }
}

// Events about conditions that the stored status did not have.
void OrgReconciler::record_changes(const crds::Org& org, const crds::OrgStatus& next, Instant now) {
    const crds::Condition* ready = next.find(crds::condition::ready);
    if (next.is_true(crds::condition::ready) && !org.status.is_true(crds::condition::ready)) {
        objects_.event(org, crds::EventType::normal, "Ready", ready->message, now);
    }
    const auto warn = [&](std::string_view type, std::string_view reason) {
        const crds::Condition* before = org.status.find(type);
        const crds::Condition* after = next.find(type);
        if (!after || (before && before->message == after->message)) return;
        objects_.event(org, crds::EventType::warning, reason.empty() ? after->reason : reason,
                       after->message, now);
    };
    warn(crds::condition::stalled, "");
    const crds::Condition* blocked = next.find(condition::prune_blocked);
    if (blocked && !org.status.is_true(condition::prune_blocked)) {
        objects_.event(org, crds::EventType::warning, "PruneBlocked", blocked->message, now);
    }
    warn(condition::adoption_refused, "AdoptionRefused");
}

// The forecast that the Org was bound to has come true: from now on it follows its template again.
Result<void> OrgReconciler::unbind(const crds::Org& org, Instant now) {
    if (!org::is_bound(org.meta)) return {};
    auto last = TRY(objects_.find<crds::Org>(org.meta.ns, org.meta.name));
    if (!last || last->meta.uid != org.meta.uid) return {};
    org::unbind(last->meta);
    TRY(objects_.update(*last, now));
    return {};
}

}  // namespace atelier::reconcilers
