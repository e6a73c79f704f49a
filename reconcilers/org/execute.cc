#include "reconcilers/org/execute.h"

#include <fmt/format.h>

#include "reconcilers/environment/workspace_env.h"

namespace atelier::reconcilers::org {
namespace {

// Kept volumes that are about to be taken over live at least this long.
constexpr Duration hold_time = std::chrono::minutes(10);

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

}  // namespace

Result<void> Executor::execute(const Action& action) {
    return std::visit([this](const auto& one) { return run(one); }, action);
}

void Executor::record(std::string_view reason, const Action& action) {
    objects_.event(org_, crds::EventType::normal, reason, text_of(action), now_);
}

// The Secret that an adopted workspace brought changes its owner in the same write as its values,
// so that the workspace never reads a mixture.
Result<void> Executor::run(const PutEnv& action) {
    crds::Secret secret = env_secret(org_, action.workspace, action.values);
    const auto brought = observed_.brought_env.find(secret.meta.name);
    if (brought == observed_.brought_env.end()) {
        TRY(objects_.put_secret(secret, now_));
        return {};
    }
    crds::Secret next = brought->second;
    next.meta.labels = secret.meta.labels;
    next.type = secret.type;
    next.data = std::move(secret.data);
    return objects_.give_secret(std::move(next), org_.as_owner(), now_);
}

Result<void> Executor::run(const CreateWorkspace& action) {
    TRY(extend_kept(action.kept));
    const auto created =
        TRY(objects_.create<crds::Workspace>(action.workspace.meta, action.workspace.spec, now_));
    record("WorkspaceCreated", action);
    if (!action.kept.empty()) {
        objects_.event(created, crds::EventType::normal, "VolumesRestored",
                       "it has the volumes again that were kept as " + action.kept, now_);
    }
    return {};
}

// Volumes whose time is nearly over must not expire before the new workspace has taken them over.
Result<void> Executor::extend_kept(const std::string& name) {
    if (name.empty()) return {};
    auto kept = TRY(objects_.find<crds::DeletedWorkspace>(org_.meta.ns, name));
    if (!kept || kept->being_deleted()) {
        return Error{Code::conflict, "the kept volumes " + name + " were deleted meanwhile"};
    }
    if (!kept->spec.expires_at || *kept->spec.expires_at > now_ + hold_time) return {};
    kept->spec.expires_at = now_ + hold_time;
    TRY(objects_.update(*kept, now_));
    return {};
}

Result<void> Executor::run(const UpdateWorkspace& action) {
    TRY(objects_.update(action.next, now_));
    record(action.parent_changes ? "WorkspaceMoved" : "WorkspaceUpdated", action);
    return {};
}

Result<void> Executor::run(const DeleteWorkspace& action) {
    TRY(objects_.remove(action.workspace, now_, action.annotations));
    record("WorkspaceDeleted", action);
    return {};
}

Result<void> Executor::run(const AdoptWorkspace& action) {
    // A workspace that waits for new values gets its Secret with them, by the PutEnv that follows.
    if (action.next.meta.annotation(annotation::env_after).empty()) {
        TRY(transfer_env(action.next.meta, org_.as_owner(), action.next.meta.uid));
    }
    TRY(objects_.update(action.next, now_));
    record("WorkspaceAdopted", action);
    objects_.event(action.next, crds::EventType::normal, "Adopted",
                   fmt::format("Org {} owns it from now on", org_.meta.name), now_);
    return {};
}

Result<void> Executor::run(const ReleaseWorkspace& action) {
    crds::Workspace workspace = action.workspace;
    TRY(transfer_env(workspace.meta, workspace.as_owner(), org_.meta.uid));
    std::erase_if(workspace.meta.owners,
                  [&](const crds::OwnerReference& owner) { return owner.uid == org_.meta.uid; });
    workspace.meta.labels.erase(std::string(crds::label::managed));
    workspace.meta.labels.erase(std::string(crds::label::org));
    workspace.meta.annotations.erase(std::string(annotation::env_after));
    TRY(objects_.update(workspace, now_));
    const std::string& name = workspace.meta.name;
    objects_.event(workspace, crds::EventType::normal, "Released",
                   fmt::format("Org {} no longer owns it; to undo this: atelier adopt {} --org {}",
                               org_.meta.name, name, org_.meta.name),
                   now_);
    record("WorkspaceReleased", action);
    return {};
}

// The environment Secret of a workspace follows the workspace to its new owner.
Result<void> Executor::transfer_env(const crds::Meta& workspace, const crds::OwnerReference& to,
                                    const std::string& from_uid) {
    auto secret = TRY(objects_.secret(org_.meta.ns, env_secret_name(workspace.name)));
    const crds::OwnerReference* owner = secret ? secret->meta.controller() : nullptr;
    if (!owner || owner->uid != from_uid) return {};
    return objects_.give_secret(*std::move(secret), to, now_);
}

Result<void> Executor::run(const RemoveEnv& action) {
    const auto secret = observed_.env.find(env_secret_name(action.workspace));
    if (secret == observed_.env.end()) return {};
    return objects_.remove_secret(secret->second, now_);
}

Result<void> Executor::run(const ReleaseOrg& /*action*/) {
    return objects_.release(org_, finalizer, now_);
}

}  // namespace atelier::reconcilers::org
