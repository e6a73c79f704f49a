#include "reconcilers/workspace/reconciler.h"

#include <algorithm>

#include "crds/workspace_conditions.h"
#include "reconcilers/workspace/events.h"
#include "reconcilers/workspace/execute.h"
#include "reconcilers/workspace/observe.h"
#include "reconcilers/workspace/status.h"

namespace atelier::reconcilers {
namespace {

using crds::Workspace;
using workspace::Observed;
using workspace::Plan;

constexpr Duration image_retry = std::chrono::minutes(1);
constexpr Duration orphan_grace = std::chrono::seconds(10);

bool releases(const Plan& plan) {
    return !plan.actions.empty() && std::holds_alternative<workspace::Release>(plan.actions.back());
}

bool is_image_missing(const crds::WorkspaceStatus& status) {
    const crds::Condition* provisioned = status.find(crds::workspace::condition::provisioned);
    return provisioned && provisioned->reason == crds::workspace::reason::image_missing;
}

}  // namespace

Result<Observed> WorkspaceReconciler::observe(const Workspace& object) const {
    return workspace::observe(object, objects_, runtimes_);
}

Result<Outcome> WorkspaceReconciler::reconcile(const Key& key, Instant now) {
    auto found = TRY(objects_.find<Workspace>(key.ns, key.name));
    if (!found) {
        TRY(stop_orphans(key));
        return Outcome{};
    }
    Workspace object = std::move(*found);
    if (object.being_deleted() && !object.meta.has_finalizer(finalizer)) {
        TRY(objects_.report(object, workspace::terminating(object, now), now));
        return Outcome{};
    }
    if (!object.being_deleted()) {
        object = TRY(objects_.add_finalizer(std::move(object), finalizer, now));
    }
    return reconcile_object(std::move(object), now);
}

// The status is that of what is observed and left to do after acting, never of what was intended.
Result<Outcome> WorkspaceReconciler::reconcile_object(Workspace object, Instant now) {
    Observed observed = TRY(observe(object));
    Plan plan = workspace::plan(object, observed, now);
    Plan done;
    std::optional<Error> failure;
    if (workspace::creates(plan)) {
        object = TRY(remember_backend(object, observed.backend, now));
    }
    if (!plan.actions.empty()) {
        const auto acted = execute(object, plan, observed, now);
        if (acted && releases(plan)) {
            record_events(objects_, object, {workspace::end_event(object, plan)}, now);
            return Outcome{};
        }
        if (acted) {
            done = std::move(plan);
        } else {
            failure = acted.error();
        }
        observed = TRY(observe(object));
        plan = workspace::plan(object, observed, now);
    }
    const auto status = workspace::status(object, observed, plan, failure, now);
    TRY(objects_.report(object, status, now));
    record_events(objects_, object, workspace::events(object, status, done), now);

    if (failure && is_image_missing(status)) return Outcome{.wake_at = now + image_retry};
    if (failure) return *failure;
    if (observed.place == Observed::Place::unknown) {
        return Error{Code::unavailable, observed.problem};
    }
    return Outcome{.wake_at = plan.wake_at};
}

// Written before anything is made there: whatever happens in between, deletion finds it.
Result<Workspace> WorkspaceReconciler::remember_backend(const Workspace& object,
                                                        const std::string& backend, Instant now) {
    auto next = object.status;
    auto& known = next.backends;
    if (std::find(known.begin(), known.end(), backend) != known.end()) return object;
    known.push_back(backend);
    TRY(objects_.report(object, next, now));
    auto again = TRY(objects_.find<Workspace>(object.meta.ns, object.meta.name));
    const bool same = again && again->meta.uid == object.meta.uid &&
                      again->meta.generation == object.meta.generation && !again->being_deleted();
    if (!same) return Error{Code::conflict, object.key().text() + " changed meanwhile"};
    return *std::move(again);
}

Result<void> WorkspaceReconciler::execute(const Workspace& object, const Plan& plan,
                                          const Observed& observed, Instant now) {
    auto acted = workspace::Executor(objects_, runtimes_, object, observed, now).execute(plan);
    log_.info(
        acted ? "acted" : "could not act",
        {{"workspace", object.meta.ns + "/" + object.meta.name}, {"plan", workspace::text(plan)}});
    return acted;
}

// There is no such Workspace. A unit that carries its name was left behind when the object was
// removed without its finalizer. It is stopped; its volumes, which hold work, stay. A unit that
// another store made is left alone, because this store has never known its Workspace and may be an
// empty or a wrong one, until the operator says that it is right.
Result<void> WorkspaceReconciler::stop_orphans(const Key& key) {
    for (const auto& [backend, runtime] : runtimes_.by_backend) {
        const auto units = TRY(runtime->list(labels_of_name(runtimes_, key.ns, key.name)));
        for (const drivers::Unit& unit : units) {
            const bool is_ours =
                workspace::label_of(unit, unit_label::store) == objects_.store().identity();
            if (!is_ours && !runtimes_.stops_strangers) {
                log_.warning("a unit without a workspace is left alone: another store made it",
                             {{"workspace", key.ns + "/" + key.name}, {"unit", unit.name}});
                continue;
            }
            log_.warning("removing a unit without a workspace",
                         {{"workspace", key.ns + "/" + key.name}, {"unit", unit.name}});
            if (unit.state != drivers::Unit::State::exited) {
                TRY(runtime->stop(unit.id, orphan_grace));
            }
            TRY(runtime->remove(unit.id));
        }
    }
    return {};
}

}  // namespace atelier::reconcilers
