#include "reconcilers/deleted_workspace/plan.h"

#include "base/text.h"
#include "reconcilers/environment/workspace_env.h"

namespace atelier::reconcilers::deleted_workspace {
namespace {

using crds::DeletedWorkspace;
using crds::DeletedWorkspaceSpec;

Restore restored(const DeletedWorkspace& object, const Observed& observed) {
    const DeletedWorkspaceSpec& kept = object.spec;
    Restore out;
    out.meta.ns = object.meta.ns;
    out.meta.name = name_of_restored(kept);
    out.meta.annotations[std::string(crds::annotation::volumes_of)] = kept.uid;
    out.meta.finalizers = {std::string(workspace_finalizer)};
    out.spec = kept.spec;
    out.spec.suspend = false;
    if (!observed.parent_there) out.spec.parent.clear();
    const std::string env_then = env_secret_name(kept.workspace);
    for (crds::EnvFrom& from : out.spec.env_from) {
        if (kept.has_env && from.secret_ref && from.secret_ref->name == env_then) {
            from.secret_ref->name = env_secret_name(out.meta.name);
        }
    }
    return out;
}

// A live Workspace has the volumes: nothing is kept here any more.
void plan_taken_over(const DeletedWorkspace& object, const Observed& observed, Plan& plan) {
    if (observed.env_due) plan.actions.push_back(GiveEnv{observed.holder->name});
    plan.actions.push_back(LetGo{});
    if (!object.being_deleted()) plan.actions.push_back(Delete{"Restored"});
}

void plan_purge(const Observed& observed, Plan& plan) {
    if (!observed.unreachable.empty()) return;
    for (const std::string& volume : observed.volumes) {
        auto [backend, name] = parts_of_volume(volume);
        plan.actions.push_back(RemoveVolume{std::move(backend), std::move(name)});
    }
    plan.actions.push_back(LetGo{});
}

// Without volumes there is nothing to restore; the status says so.
void plan_restore(const DeletedWorkspace& object, const Observed& observed, Plan& plan) {
    if (!observed.unreachable.empty() || observed.volumes.empty() || observed.in_place) return;
    Restore made = restored(object, observed);
    const std::string name = made.meta.name;
    plan.actions.push_back(std::move(made));
    if (object.spec.has_env) plan.actions.push_back(GiveEnv{name});
    plan.actions.push_back(LetGo{});
    plan.actions.push_back(Delete{"Restored"});
}

}  // namespace

std::string name_of_restored(const DeletedWorkspaceSpec& spec) {
    return spec.restore_as.empty() ? spec.workspace : spec.restore_as;
}

Plan plan(const DeletedWorkspace& object, const Observed& observed, Instant now) {
    Plan plan;
    // While the workspace is still being taken down, the volumes are its own. While the new one
    // does not have its finalizer yet, it could vanish without passing the volumes on: they stay
    // ours.
    if (observed.holder && (observed.holder->being_deleted || !observed.holder->bound)) return plan;
    if (observed.holder) {
        plan_taken_over(object, observed, plan);
        return plan;
    }
    if (object.being_deleted()) {
        plan_purge(observed, plan);
        return plan;
    }
    if (object.spec.suspend) return plan;
    if (object.spec.restore) {
        plan_restore(object, observed, plan);
        return plan;
    }
    if (!object.spec.expires_at) return plan;
    if (now >= *object.spec.expires_at) {
        plan.actions.push_back(Delete{"Expired"});
    } else {
        plan.wake_at = object.spec.expires_at;
    }
    return plan;
}

std::string text(const Action& action) {
    struct Words {
        std::string operator()(const Restore& a) const {
            return "restore " + a.meta.name +
                   (a.spec.parent.empty() ? "" : " under " + a.spec.parent);
        }
        std::string operator()(const GiveEnv& a) const { return "give env to " + a.workspace; }
        std::string operator()(const RemoveVolume& a) const { return "remove volume " + a.name; }
        std::string operator()(const LetGo&) const { return "let go"; }
        std::string operator()(const Delete& a) const { return "delete (" + a.reason + ")"; }
    };
    return std::visit(Words(), action);
}

std::string text(const Plan& plan) {
    std::vector<std::string> words;
    for (const Action& action : plan.actions) words.push_back(text(action));
    return join(words, ", ");
}

}  // namespace atelier::reconcilers::deleted_workspace
