#include "reconcilers/org/reconciler.h"

#include <fmt/format.h>

#include "base/text.h"
#include "reconcilers/environment/workspace_env.h"
#include "reconcilers/org/import.h"
#include "reconcilers/org/planned.h"
#include "reconcilers/org/status.h"

namespace atelier::reconcilers {
namespace {

constexpr std::string_view finalizer = "atelier.dev/org";
constexpr Duration hold_time = std::chrono::minutes(10);
constexpr std::string_view orphan_finalizer = "orphan";  // kubectl delete --cascade=orphan

crds::Secret env_secret(const crds::Org& org, const std::string& workspace,
                        templates::EnvMap values) {
    crds::Secret secret;
    secret.meta.name = env_secret_name(workspace);
    secret.meta.ns = org.meta.ns;
    secret.meta.labels[std::string(crds::label::managed)] = "true";
    secret.meta.labels[std::string(crds::label::org)] = org.meta.name;
    secret.meta.labels[std::string(crds::label::workspace)] = workspace;
    secret.meta.owners.push_back(org.as_owner());
    secret.type = "atelier.dev/workspace-env";
    secret.data = std::move(values);
    return secret;
}

std::string workspace_of(const OrgAction& action) {
    struct Name {
        std::string operator()(const PutEnv& a) const { return a.workspace; }
        std::string operator()(const CreateWorkspace& a) const { return a.workspace.name; }
        std::string operator()(const UpdateWorkspace& a) const { return a.next.meta.name; }
        std::string operator()(const DeleteWorkspace& a) const { return a.workspace.meta.name; }
        std::string operator()(const AdoptWorkspace& a) const { return a.next.meta.name; }
        std::string operator()(const ReleaseWorkspace& a) const { return a.workspace.meta.name; }
        std::string operator()(const RemoveEnv& a) const { return a.workspace; }
        std::string operator()(const ReleaseOrg&) const { return {}; }
    };
    return std::visit(Name{}, action);
}

// With the mark that says how long its volumes are kept, unless somebody else has said it.
std::map<std::string, std::string> marks_of(const DeleteWorkspace& action, Instant now) {
    const std::string name(crds::annotation::keep_volumes_until);
    if (!action.workspace.meta.annotation(name).empty()) return {};
    if (!action.keep_until.empty()) return {{name, action.keep_until}};
    if (action.volume_grace <= Duration::zero()) return {};
    return {{name, rfc3339(now + action.volume_grace)}};
}

// A failure that concerns that one workspace alone: the others go on.
bool is_of_one(const Error& error) {
    return error.code == Code::invalid || error.code == Code::forbidden ||
           error.code == Code::too_large;
}

}  // namespace

std::vector<Interest> OrgReconciler::interests() const {
    return org_interests();
}

Result<Outcome> OrgReconciler::reconcile(const Key& key, Instant now) {
    auto org = TRY(objects_.find<crds::Org>(key.ns, key.name));
    if (!org) return Outcome{};
    if (org->being_deleted()) return reconcile_deleted(*org, now);
    if (org->spec.suspend) {
        TRY(report(*org, suspended_status(*org, now), now));
        return Outcome{};
    }
    org = TRY(objects_.add_finalizer(*org, finalizer, now));
    return reconcile_live(*org, now);
}

Result<OrgObserved> OrgReconciler::sources_of(const crds::Org& org, const Objects& objects) {
    return observe_sources(org, objects, trees_, compiled_);
}

Result<Outcome> OrgReconciler::reconcile_live(const crds::Org& stored, Instant now) {
    auto observed = TRY(observe_org(stored, objects_, trees_, compiled_));
    if (const auto hold = hold_of(stored, observed, fingerprint_key_)) {
        TRY(report(stored, held_status(stored, observed, *hold, now), now));
        return Outcome{};
    }
    if (!observed.compiled) {
        TRY(report(stored, status_of(stored, {.observed = observed, .failure = std::nullopt}, now),
                   now));
        return Outcome{};
    }
    const auto begun = TRY(begin_import(stored, observed, now));
    if (!begun) return Outcome{};
    const crds::Org& org = *begun;
    auto desired = desired_of(org, *observed.compiled, observed);
    auto plan = plan_org(org, observed, desired);
    Result<void> acted;
    if (observed.layers_missing) {
        // Without its environment a workspace would start wrong: nothing is made or changed.
        acted = Error{Code::unavailable,
                      fmt::format("the environment of the template's revision {} is not there yet",
                                  observed.revision->revision)};
    } else if (!plan.actions.empty()) {
        log_.info("plan", {{"org", org.key().text()}, {"plan", text_of(plan)}});
        acted = execute(org, plan, observed, now);
        observed = TRY(observe_org(org, objects_, trees_, compiled_));
        if (!observed.compiled) return Error{Code::conflict, "the template changed meanwhile"};
        desired = desired_of(org, *observed.compiled, observed);
        plan = plan_org(org, observed, desired);
    }
    OrgOutcome outcome{
        .observed = observed, .desired = &desired, .plan = &plan, .failure = std::nullopt};
    if (!acted) outcome.failure = acted.error();
    auto status = status_of(org, outcome, now);
    record_events(org, import_goes_on(org, observed, status, now), now);
    TRY(report(org, status, now));
    if (!acted) return acted.error();
    if (plan.actions.empty()) TRY(end_plan(org, now));
    return Outcome{};
}

// The Org with its import begun, if one begins. nullopt: it is gone, or somebody wrote to it, and
// it is looked at anew.
Result<std::optional<crds::Org>> OrgReconciler::begin_import(const crds::Org& org,
                                                             const OrgObserved& observed,
                                                             Instant now) {
    crds::OrgStatus next = org.status;
    const auto events = import_begins(org, observed, next, now);
    if (events.empty()) return std::optional(org);
    record_events(org, events, now);
    TRY(objects_.report(org, next, now));
    auto begun = TRY(objects_.find<crds::Org>(org.meta.ns, org.meta.name));
    if (!begun || begun->meta.generation != org.meta.generation || begun->being_deleted()) {
        return std::optional<crds::Org>();
    }
    return begun;
}

void OrgReconciler::record_events(const crds::Org& org, const std::vector<ImportEvent>& events,
                                  Instant now) {
    for (const ImportEvent& event : events) {
        objects_.event(org, event.type, event.reason, event.message, now);
    }
}

// What was planned is done: from here on it follows its template again.
Result<void> OrgReconciler::end_plan(const crds::Org& org, Instant now) {
    if (!is_bound(org.meta)) return {};
    auto last = TRY(objects_.find<crds::Org>(org.meta.ns, org.meta.name));
    if (!last || last->meta.uid != org.meta.uid) return {};
    release_bond(last->meta);
    TRY(objects_.update(*last, now));
    return {};
}

Result<Outcome> OrgReconciler::reconcile_deleted(const crds::Org& org, Instant now) {
    if (!org.meta.has_finalizer(finalizer)) return Outcome{};
    if (org.meta.has_finalizer(orphan_finalizer)) return Outcome{};  // its references go first
    auto observed = TRY(observe_org(org, objects_, trees_, compiled_));
    auto plan = plan_deletion(org, observed);
    const auto acted = execute(org, plan, observed, now);
    if (!plan.actions.empty() && std::holds_alternative<ReleaseOrg>(plan.actions.back()) && acted) {
        return Outcome{};
    }
    observed = TRY(observe_org(org, objects_, trees_, compiled_));
    plan = plan_deletion(org, observed);
    OrgOutcome outcome{
        .observed = observed, .desired = nullptr, .plan = &plan, .failure = std::nullopt};
    if (!acted) outcome.failure = acted.error();
    auto status = deleting_status(org, outcome, now);
    record_events(org, import_ends(org, status, now), now);
    TRY(report(org, status, now));
    if (!acted) return acted.error();
    return Outcome{};
}

// Stops at the first failure, unless it concerns one workspace alone: then the rest of what is
// planned for that workspace is left out, and the failure is returned at the end.
Result<void> OrgReconciler::execute(const crds::Org& org, const OrgPlan& plan,
                                    const OrgObserved& observed, Instant now) {
    std::optional<Error> first;
    std::set<std::string> failed;
    for (const OrgAction& action : plan.actions) {
        const std::string workspace = workspace_of(action);
        if (failed.contains(workspace)) continue;
        // What goes may be the old form of what could not be made.
        if (first && std::holds_alternative<DeleteWorkspace>(action)) continue;
        const auto done = execute_one(org, action, observed, now);
        if (metrics_) {
            metrics_
                ->counter("atelier_org_actions_total", "Actions of the Org reconciler.",
                          {{"action", std::string(verb_of(action))},
                           {"result", done ? "done" : "failed"}})
                .add();
        }
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

Result<void> OrgReconciler::execute_one(const crds::Org& org, const OrgAction& action,
                                        const OrgObserved& observed, Instant now) {
    const auto record_events = [&](std::string_view reason, const std::string& message) {
        objects_.event(org, crds::EventType::normal, reason, message, now);
    };
    if (const auto* put = std::get_if<PutEnv>(&action)) {
        TRY(put_env(org, observed, *put, now));
    } else if (const auto* create = std::get_if<CreateWorkspace>(&action)) {
        TRY(hold_kept(org, create->kept, now));
        const auto made = TRY(
            objects_.create<crds::Workspace>(create->workspace.meta, create->workspace.spec, now));
        record_events("WorkspaceCreated", text_of(action));
        if (!create->kept.empty()) {
            objects_.event(made, crds::EventType::normal, "VolumesRestored",
                           "it has the volumes again that were kept as " + create->kept, now);
        }
    } else if (const auto* update = std::get_if<UpdateWorkspace>(&action)) {
        TRY(objects_.update(update->next, now));
        record_events(update->parent_changes ? "WorkspaceMoved" : "WorkspaceUpdated",
                      text_of(action));
    } else if (const auto* remove = std::get_if<DeleteWorkspace>(&action)) {
        TRY(objects_.remove(remove->workspace, now, marks_of(*remove, now)));
        record_events("WorkspaceDeleted", text_of(action));
    } else if (const auto* adopt = std::get_if<AdoptWorkspace>(&action)) {
        // With new values it is taken later, in one write with them: what it waits for.
        if (adopt->next.meta.annotation(annotation::env_after).empty()) {
            TRY(take_env(org, adopt->next.meta, org.as_owner(), adopt->next.meta.uid, now));
        }
        TRY(objects_.update(adopt->next, now));
        record_events("WorkspaceAdopted", text_of(action));
        objects_.event(adopt->next, crds::EventType::normal, "Adopted",
                       "it is of Org " + org.meta.name + " from now on", now);
    } else if (const auto* release = std::get_if<ReleaseWorkspace>(&action)) {
        TRY(give_up(org, release->workspace, now));
        record_events("WorkspaceReleased", text_of(action));
    } else if (const auto* forget = std::get_if<RemoveEnv>(&action)) {
        const auto secret = observed.env.find(env_secret_name(forget->workspace));
        if (secret != observed.env.end()) TRY(objects_.remove_secret(secret->second, now));
    } else {
        TRY(objects_.release(org, finalizer, now));
    }
    return {};
}

// What is about to be taken over does not expire at this very moment.
Result<void> OrgReconciler::hold_kept(const crds::Org& org, const std::string& name, Instant now) {
    if (name.empty()) return {};
    auto kept = TRY(objects_.find<crds::DeletedWorkspace>(org.meta.ns, name));
    if (!kept || kept->being_deleted()) {
        return Error{Code::conflict, "the kept volumes " + name + " were given up meanwhile"};
    }
    if (!kept->spec.expires_at || *kept->spec.expires_at > now + hold_time) return {};
    kept->spec.expires_at = now + hold_time;
    TRY(objects_.update(*kept, now));
    return {};
}

// What an adopted workspace brought becomes ours in the same write as it gets the new values.
Result<void> OrgReconciler::put_env(const crds::Org& org, const OrgObserved& observed,
                                    const PutEnv& put, Instant now) {
    crds::Secret secret = env_secret(org, put.workspace, put.values);
    const auto brought = observed.brought_env.find(secret.meta.name);
    if (brought == observed.brought_env.end()) {
        TRY(objects_.put_secret(secret, now));
        return {};
    }
    crds::Secret next = brought->second;
    next.meta.labels = secret.meta.labels;
    next.type = secret.type;
    next.data = std::move(secret.data);
    return objects_.give_secret(std::move(next), org.as_owner(), now);
}

// The Secret with a workspace's environment goes where the workspace goes.
Result<void> OrgReconciler::take_env(const crds::Org& org, const crds::Meta& workspace,
                                     const crds::OwnerReference& to, const std::string& from_uid,
                                     Instant now) {
    auto secret = TRY(objects_.secret(org.meta.ns, env_secret_name(workspace.name)));
    const crds::OwnerReference* owner = secret ? secret->meta.controller() : nullptr;
    if (!owner || owner->uid != from_uid) return {};
    return objects_.give_secret(*std::move(secret), to, now);
}

Result<void> OrgReconciler::give_up(const crds::Org& org, crds::Workspace workspace, Instant now) {
    TRY(take_env(org, workspace.meta, workspace.as_owner(), org.meta.uid, now));
    std::erase_if(workspace.meta.owners,
                  [&](const crds::OwnerReference& owner) { return owner.uid == org.meta.uid; });
    workspace.meta.labels.erase(std::string(crds::label::managed));
    workspace.meta.labels.erase(std::string(crds::label::org));
    workspace.meta.annotations.erase(std::string(annotation::env_after));
    TRY(objects_.update(workspace, now));
    objects_.event(workspace, crds::EventType::normal, "Released",
                   "it is no longer of Org " + org.meta.name + "; to go back: atelier adopt " +
                       workspace.meta.name + " --org " + org.meta.name,
                   now);
    return {};
}

Result<void> OrgReconciler::report(const crds::Org& org, const crds::OrgStatus& next, Instant now) {
    const crds::Condition* before = org.status.find(crds::condition::ready);
    const crds::Condition* after = next.find(crds::condition::ready);
    const bool blocked_before = org.status.is_true(condition::prune_blocked);
    const bool wrote = TRY(objects_.report(org, next, now));
    if (!wrote) return {};
    if (after && after->status == crds::ConditionStatus::yes &&
        (!before || before->status != crds::ConditionStatus::yes)) {
        objects_.event(org, crds::EventType::normal, "Ready", after->message, now);
    }
    const crds::Condition* stalled = next.find(crds::condition::stalled);
    const crds::Condition* stalled_before = org.status.find(crds::condition::stalled);
    if (stalled && (!stalled_before || stalled_before->message != stalled->message)) {
        objects_.event(org, crds::EventType::warning, stalled->reason, stalled->message, now);
    }
    const crds::Condition* blocked = next.find(condition::prune_blocked);
    if (blocked && !blocked_before) {
        objects_.event(org, crds::EventType::warning, "PruneBlocked", blocked->message, now);
    }
    const crds::Condition* refused = next.find(condition::adoption_refused);
    const crds::Condition* refused_before = org.status.find(condition::adoption_refused);
    if (refused && (!refused_before || refused_before->message != refused->message)) {
        objects_.event(org, crds::EventType::warning, "AdoptionRefused", refused->message, now);
    }
    return {};
}

}  // namespace atelier::reconcilers
