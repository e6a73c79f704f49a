#include "reconcilers/deleted_workspace/reconciler.h"

#include <set>

#include "crds/workspace.h"
#include "reconcilers/common/indexes.h"
#include "reconcilers/common/kept_volumes.h"
#include "reconcilers/common/status.h"
#include "reconcilers/deleted_workspace/status.h"
#include "reconcilers/environment/workspace_env.h"

namespace atelier::reconcilers {
namespace {

using crds::DeletedWorkspace;
using crds::Workspace;
using deleted_workspace::Action;
using deleted_workspace::Observed;
using deleted_workspace::Plan;

// A Workspace that is created or deleted may have the volumes, or the name to restore under.
std::vector<Key> of_workspace(const store::Event& event, const store::Store& store) {
    if (event.change == store::Change::modified && event.previous &&
        event.previous->meta.deleted_at == event.object->meta.deleted_at &&
        event.previous->meta.finalizers == event.object->meta.finalizers) {
        return {};
    }
    const crds::Meta& meta = event.object->meta;
    std::set<Key> keys;
    for (Key& key : keys_by(store, index::kept_by_name, meta.ns, meta.name)) {
        keys.insert(std::move(key));
    }
    for (const auto& object : store.by_index(index::kept_by_volumes, crds::volumes_uid(meta))) {
        keys.insert(object->key);
    }
    return {keys.begin(), keys.end()};
}

// Those that its volumes are in. An object that was made by hand may name no volume: then all.
std::set<std::string> backends_of(const crds::DeletedWorkspaceSpec& spec,
                                  const Runtimes& runtimes) {
    std::set<std::string> backends;
    for (const std::string& volume : spec.volumes) backends.insert(parts_of_volume(volume).first);
    for (const auto& [name, runtime] : runtimes.by_backend) {
        if (spec.volumes.empty()) backends.insert(name);
    }
    return backends;
}

// Of a volume in a runtime that this server does not have, nothing is known.
std::string unknown_backend(const DeletedWorkspace& object, const Runtimes& runtimes) {
    for (const std::string& volume : object.spec.volumes) {
        const std::string backend = parts_of_volume(volume).first;
        if (!runtime_of(runtimes, backend)) {
            return "this server has no runtime \"" + backend + "\", which has the volume " +
                   parts_of_volume(volume).second;
        }
    }
    return {};
}

}  // namespace

std::vector<Interest> DeletedWorkspaceReconciler::interests() const {
    return {{std::string(crds::WorkspaceSpec::resource), of_workspace}};
}

// A Workspace that was restored from this object reads the Secret that is kept here; one that an
// Org made gets its environment from the Org.
Result<bool> DeletedWorkspaceReconciler::is_env_due(const DeletedWorkspace& object,
                                                    const VolumesHolder& holder) const {
    if (!object.spec.has_env || holder.owned || holder.being_deleted) return false;
    const auto there = TRY(objects_.secret(object.meta.ns, env_secret_name(holder.name)));
    return !there;
}

Result<Observed> DeletedWorkspaceReconciler::observe(const DeletedWorkspace& object) const {
    Observed observed;
    for (VolumesHolder& holder : holders_of_volumes(objects_, object.spec.uid)) {
        if (!observed.holder || observed.holder->being_deleted) observed.holder = std::move(holder);
    }
    if (observed.holder) observed.env_due = TRY(is_env_due(object, *observed.holder));
    observed.unreachable = unknown_backend(object, runtimes_);
    if (observed.unreachable.empty()) {
        auto volumes =
            find_volumes(runtimes_, backends_of(object.spec, runtimes_), object.spec.uid);
        if (volumes) {
            observed.volumes = *std::move(volumes);
        } else {
            observed.unreachable = volumes.error().message;
        }
    }
    const std::string name = deleted_workspace::name_of_restored(object.spec);
    const auto in_place = TRY(objects_.find<Workspace>(object.meta.ns, name));
    if (in_place && crds::volumes_uid(in_place->meta) != object.spec.uid) {
        observed.in_place = VolumesHolder{name, in_place->meta.uid, in_place->being_deleted(),
                                          in_place->meta.controller() != nullptr, true};
    }
    const std::string& parent = object.spec.spec.parent;
    if (!parent.empty()) {
        const auto found = TRY(objects_.find<Workspace>(object.meta.ns, parent));
        observed.parent_there = found && !found->being_deleted() && parent != name;
    }
    return observed;
}

Result<void> DeletedWorkspaceReconciler::give_env(const DeletedWorkspace& object,
                                                  const std::string& workspace, Instant now) {
    const auto kept = TRY(objects_.secret(object.meta.ns, env_secret_name(object.meta.name)));
    const auto owner = TRY(objects_.find<Workspace>(object.meta.ns, workspace));
    if (!kept || !owner) return {};
    crds::Secret secret;
    secret.meta.ns = object.meta.ns;
    secret.meta.name = env_secret_name(workspace);
    secret.meta.labels = kept->meta.labels;
    secret.meta.labels[std::string(crds::label::workspace)] = workspace;
    secret.meta.owners = {owner->as_owner()};
    secret.type = kept->type;
    secret.data = kept->data;
    const auto put = objects_.put_secret(secret, now);
    // Somebody else's Secret of that name is left alone; the workspace reads that one, then.
    if (!put && put.error().code != Code::forbidden) return put.error();
    return {};
}

Result<void> DeletedWorkspaceReconciler::execute(DeletedWorkspace& object, const Action& action,
                                                 Instant now) {
    if (const auto* restore = std::get_if<deleted_workspace::Restore>(&action)) {
        const auto made = TRY(objects_.create<Workspace>(restore->meta, restore->spec, now));
        objects_.event(made, crds::EventType::normal, "VolumesRestored",
                       "the workspace was restored with the volumes of " + object.spec.workspace +
                           "; no Org owns it",
                       now);
    } else if (const auto* env = std::get_if<deleted_workspace::GiveEnv>(&action)) {
        TRY(give_env(object, env->workspace, now));
    } else if (const auto* remove = std::get_if<deleted_workspace::RemoveVolume>(&action)) {
        drivers::Runtime* const place = runtime_of(runtimes_, remove->backend);
        if (!place) return Error{Code::unavailable, "there is no runtime " + remove->backend};
        const auto removed = place->remove_volume(remove->name);
        if (!removed && removed.error().code != Code::not_found) return removed;
    } else if (std::holds_alternative<deleted_workspace::LetGo>(action)) {
        if (!object.meta.has_finalizer(deleted_workspace_finalizer)) return {};
        if (object.being_deleted()) {
            return objects_.release(object, deleted_workspace_finalizer, now);
        }
        std::erase(object.meta.finalizers, deleted_workspace_finalizer);
        object = TRY(objects_.update(object, now));
    } else if (const auto* end = std::get_if<deleted_workspace::Delete>(&action)) {
        const bool expired = end->reason == "Expired";
        objects_.event(object, crds::EventType::normal, end->reason,
                       expired ? "nobody restored it in time: its volumes are removed"
                               : "a Workspace has its volumes again",
                       now);
        TRY(objects_.remove(object, now));
    }
    return {};
}

Result<void> DeletedWorkspaceReconciler::execute(const DeletedWorkspace& object, const Plan& plan,
                                                 Instant now) {
    DeletedWorkspace current = object;
    for (const Action& action : plan.actions) TRY(execute(current, action, now));
    return {};
}

Result<Outcome> DeletedWorkspaceReconciler::reconcile(const Key& key, Instant now) {
    auto found = TRY(objects_.find<DeletedWorkspace>(key.ns, key.name));
    if (!found) return Outcome{};
    DeletedWorkspace object = std::move(*found);
    if (object.being_deleted() && !object.meta.has_finalizer(deleted_workspace_finalizer)) {
        TRY(objects_.report(object, terminating_status(object, now), now));
        return Outcome{};
    }
    const Observed observed = TRY(observe(object));
    // It was made by hand, or a crash came between LetGo and Delete.
    if (!object.being_deleted() && !observed.holder) {
        object = TRY(objects_.add_finalizer(std::move(object), deleted_workspace_finalizer, now));
    }
    const Plan plan = deleted_workspace::plan(object, observed, now);
    const Result<void> acted = execute(object, plan, now);
    if (!plan.actions.empty()) {
        log_.info(acted ? "acted" : "could not act", {{"deletedworkspace", key.ns + "/" + key.name},
                                                      {"plan", deleted_workspace::text(plan)}});
        if (acted) return Outcome{};
    }
    const std::optional<Error> failure = acted ? std::nullopt : std::optional(acted.error());
    if (const auto still = TRY(objects_.find<DeletedWorkspace>(key.ns, key.name))) {
        const auto status = deleted_workspace::status(*still, observed, failure, now);
        TRY(objects_.report(*still, status, now));
    }
    if (!acted) return acted.error();
    if (!observed.unreachable.empty()) return Error{Code::unavailable, observed.unreachable};
    return Outcome{.wake_at = plan.wake_at};
}

}  // namespace atelier::reconcilers
