#include "reconcilers/org/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/text.h"
#include "crds/org_conditions.h"
#include "reconcilers/common/kept_volumes.h"
#include "reconcilers/environment/workspace_env.h"

namespace atelier::reconcilers::org {
namespace {

namespace reason = crds::org::reason;

// The names of the members in which two specs differ, without "parent": a new parent is reported as
// a move.
std::vector<std::string> changed_fields(const crds::WorkspaceSpec& before,
                                        const crds::WorkspaceSpec& after) {
    const json::Document a = json::document_of(before);
    const json::Document b = json::document_of(after);
    std::set<std::string> names;
    for (const json::Document* side : {&a, &b}) {
        for (const auto& member : side->GetObject()) names.emplace(json::view(member.name));
    }
    std::vector<std::string> changed;
    for (const std::string& name : names) {
        const json::Value* old_value = json::find(a, {name});
        const json::Value* new_value = json::find(b, {name});
        const bool same = old_value && new_value && *old_value == *new_value;
        if (!same && name != "parent") changed.push_back(name);
    }
    return changed;
}

// Sets the wanted entries and keeps those that others wrote. True if anything changed.
bool merge(std::map<std::string, std::string>& into,
           const std::map<std::string, std::string>& wanted) {
    bool changed = false;
    for (const auto& [name, value] : wanted) {
        auto [it, fresh] = into.try_emplace(name, value);
        if (!fresh && it->second == value) continue;
        it->second = value;
        changed = true;
    }
    return changed;
}

std::vector<std::string> changed_names(const templates::EnvMap& before,
                                       const templates::EnvMap& after) {
    std::set<std::string> names;
    for (const auto& [name, value] : after) {
        const auto old = before.find(name);
        if (old == before.end() || old->second != value) names.insert(name);
    }
    for (const auto& [name, value] : before) {
        if (!after.contains(name)) names.insert(name);
    }
    return {names.begin(), names.end()};
}

// A request to release a workspace is carried out whatever else is planned.
void plan_releases(const Observed& observed, Plan& plan) {
    for (const crds::Workspace& workspace : observed.owned) {
        if (observed.released.contains(workspace.meta.name) && !workspace.being_deleted()) {
            plan.actions.push_back(ReleaseWorkspace{workspace});
        }
    }
}

// How long the volumes of a deleted workspace are kept, unless it is annotated already: the
// annotation of a person takes precedence over the Org's grace period.
DeleteWorkspace deletion_of(const crds::Workspace& workspace, Duration volume_grace,
                            const std::string& keep_until, Instant now) {
    DeleteWorkspace action{workspace, volume_grace, keep_until, {}};
    const std::string name(crds::annotation::keep_volumes_until);
    if (!workspace.meta.annotation(name).empty()) return action;
    if (!keep_until.empty()) {
        action.annotations[name] = keep_until;
    } else if (volume_grace > Duration::zero()) {
        action.annotations[name] = rfc3339(now + volume_grace);
    }
    return action;
}

class Planner {
  public:
    Planner(const crds::Org& org, const Observed& observed, const Desired& desired, Instant now)
        : org_(org), observed_(observed), desired_(desired), now_(now) {
        for (const crds::Workspace& workspace : observed.owned) {
            owned_[workspace.meta.name] = &workspace;
        }
        for (const crds::Workspace& workspace : observed.adoptable) {
            adoptable_[workspace.meta.name] = &workspace;
        }
    }

    Plan plan() {
        plan_releases(observed_, plan_);
        for (const DesiredWorkspace& workspace : desired_.workspaces) plan_one(workspace);
        for (const auto& [name, workspace] : adoptable_) {
            plan_.refused.push_back(fmt::format(
                "{}: the template has no workspace of that name; add it there first", name));
        }
        plan_.prune = decide_prune(org_, observed_, desired_);
        hold_prune_while_blocked();
        for (const std::string& name : plan_.prune.remove) {
            plan_.actions.push_back(
                deletion_of(*owned_.at(name), org_.spec.prune.volume_grace, "", now_));
        }
        plan_unused_env();
        return std::move(plan_);
    }

  private:
    void plan_one(const DesiredWorkspace& workspace) {
        const auto existing = owned_.find(workspace.name);
        const auto adoptable = adoptable_.extract(workspace.name);
        if (adoptable) return plan_adoption(workspace, *adoptable.mapped());
        if (observed_.released.contains(workspace.name)) return;
        if (existing == owned_.end() && observed_.foreign.contains(workspace.name)) {
            plan_.conflicts.push_back(workspace.name);
            blocked_.insert(workspace.name);
            return;
        }
        if (!workspace.problem.empty()) {
            plan_.problems.push_back(fmt::format("{}: {}", workspace.name, workspace.problem));
            blocked_.insert(workspace.name);
            return;
        }
        if (existing == owned_.end()) {
            // Its parent must exist first, and cannot be created.
            if (blocked_.contains(workspace.spec.parent)) {
                blocked_.insert(workspace.name);
                plan_.waiting.push_back(
                    fmt::format("{} waits for {}", workspace.name, workspace.spec.parent));
                return;
            }
            if (auto env = env_of(workspace)) plan_.actions.push_back(*std::move(env));
            plan_creation(workspace);
            return;
        }
        if (existing->second->being_deleted()) {
            plan_.waiting.push_back(fmt::format("{} is being deleted", workspace.name));
            blocked_.insert(workspace.name);
            return;
        }
        plan_change(workspace, *existing->second);
    }

    // When both the spec and the environment change, the spec is written first and names the state
    // of the Secret that is too old for it. An annotation that names a state which the Secret has
    // passed long ago, as after a restore from another server, is removed.
    void plan_change(const DesiredWorkspace& workspace, const crds::Workspace& existing) {
        auto update = update_of(workspace, existing);
        const auto env = env_of(workspace);
        const crds::Secret* secret = secret_of(workspace.name);
        const Revision observed = secret ? secret->meta.revision : 0;
        if (update && env) {
            wait_for_env(update->next.meta);
        } else if (!env &&
                   revision_in(existing.meta.annotation(annotation::env_after)) >= observed &&
                   observed > 0) {
            if (!update) update.emplace().next = existing;
            update->next.meta.annotations.erase(std::string(annotation::env_after));
            update->changed.emplace_back("annotations");
        }
        if (update) plan_.actions.push_back(*std::move(update));
        if (env) plan_.actions.push_back(*env);
    }

    // A workspace is identified by its key: one that is created again under the same key takes over
    // the newest volumes that were kept of it.
    void plan_creation(DesiredWorkspace workspace) {
        const crds::DeletedWorkspace* newest = nullptr;
        for (const crds::DeletedWorkspace& kept : observed_.kept) {
            if (kept.spec.spec.workspace_key != workspace.spec.workspace_key) continue;
            if (!newest || newest->spec.deleted_at < kept.spec.deleted_at) newest = &kept;
        }
        CreateWorkspace create{std::move(workspace), ""};
        if (newest) {
            create.kept = newest->meta.name;
            create.workspace.meta.annotations[std::string(crds::annotation::volumes_of)] =
                newest->spec.uid;
            create.workspace.meta.finalizers = {std::string(workspace_finalizer)};
        }
        plan_.actions.push_back(std::move(create));
    }

    // An adopted workspace keeps its volumes and its unit. It restarts only if its spec or its
    // environment differs, and then once: the new spec waits for the new environment.
    void plan_adoption(const DesiredWorkspace& workspace, const crds::Workspace& existing) {
        const std::string why = why_not_adopted(workspace, existing);
        if (!why.empty()) {
            plan_.refused.push_back(fmt::format("{}: {}", workspace.name, why));
            plan_.conflicts.push_back(workspace.name);
            blocked_.insert(workspace.name);
            return;
        }
        AdoptWorkspace adopt{existing, {}};
        if (auto update = update_of(workspace, existing)) {
            adopt = {std::move(update->next), std::move(update->changed)};
            if (update->parent_changes) adopt.changed.emplace_back("parent");
        }
        adopt.next.meta.owners.push_back(org_.as_owner());
        adopt.next.meta.annotations.erase(std::string(crds::annotation::adopt_by));
        adopt.next.meta.annotations.erase(std::string(crds::annotation::released_from));
        auto env = env_of(workspace);
        if (env) wait_for_env(adopt.next.meta);
        plan_.actions.push_back(std::move(adopt));
        if (env) plan_.actions.push_back(*std::move(env));
    }

    std::string why_not_adopted(const DesiredWorkspace& workspace,
                                const crds::Workspace& existing) const {
        const crds::OwnerReference* owner = existing.meta.controller();
        const auto differs = [](const std::string& theirs, const std::string& ours) {
            return !theirs.empty() && theirs != ours;
        };
        if (owner) {
            return fmt::format("{} {} owns it and must release it first: atelier release {}",
                               owner->kind, owner->name, workspace.name);
        }
        if (existing.being_deleted()) return "it is being deleted";
        if (differs(existing.spec.org, org_.meta.name)) {
            return fmt::format("its spec.org is {}, which cannot be changed", existing.spec.org);
        }
        if (differs(existing.spec.workspace_key, workspace.spec.workspace_key)) {
            return fmt::format(
                "its spec.key is {}, which cannot be changed; in the template it "
                "is {}",
                existing.spec.workspace_key, workspace.spec.workspace_key);
        }
        return workspace.problem;
    }

    // A workspace to be pruned may be the old form of one that cannot be created, under another
    // name. Nothing is pruned until that is settled.
    void hold_prune_while_blocked() {
        if (plan_.conflicts.empty() && plan_.problems.empty()) return;
        PruneDecision& prune = plan_.prune;
        if (prune.remove.empty()) return;
        prune.pending.insert(prune.pending.end(), prune.remove.begin(), prune.remove.end());
        std::sort(prune.pending.begin(), prune.pending.end());
        prune.remove.clear();
        prune.confirmed.clear();
        prune.reason = reason::others_blocked;
        prune.message = "nothing is deleted while workspaces of the template cannot be made";
    }

    static std::optional<UpdateWorkspace> update_of(const DesiredWorkspace& workspace,
                                                    const crds::Workspace& existing) {
        UpdateWorkspace update;
        update.next = existing;
        update.next.spec = workspace.spec;
        // People pause and suspend single workspaces; the template does not decide about that.
        update.next.spec.desired_state = existing.spec.desired_state;
        update.next.spec.suspend = existing.spec.suspend;
        update.changed = changed_fields(existing.spec, update.next.spec);
        update.parent_changes = existing.spec.parent != workspace.spec.parent;
        update.old_parent = existing.spec.parent;
        if (merge(update.next.meta.labels, workspace.meta.labels)) {
            update.changed.emplace_back("labels");
        }
        if (merge(update.next.meta.annotations, workspace.meta.annotations)) {
            update.changed.emplace_back("annotations");
        }
        if (update.changed.empty() && !update.parent_changes) return std::nullopt;
        return update;
    }

    // The environment Secret of a workspace: one of this Org, or one that a workspace in adoption
    // still owns.
    const crds::Secret* secret_of(const std::string& workspace) const {
        for (const auto* secrets : {&observed_.env, &observed_.brought_env}) {
            const auto found = secrets->find(env_secret_name(workspace));
            if (found != secrets->end()) return &found->second;
        }
        return nullptr;
    }

    // The workspace must wait for a Secret that is newer than the present one.
    void wait_for_env(crds::Meta& workspace) const {
        const crds::Secret* secret = secret_of(workspace.name);
        workspace.annotations[std::string(annotation::env_after)] =
            std::to_string(secret ? secret->meta.revision : 0);
    }

    std::optional<PutEnv> env_of(const DesiredWorkspace& workspace) const {
        if (observed_.layers_missing || workspace.env.empty()) return std::nullopt;
        const crds::Secret* existing = secret_of(workspace.name);
        const templates::EnvMap before = existing ? existing->data : templates::EnvMap();
        PutEnv put{workspace.name, workspace.env, changed_names(before, workspace.env)};
        if (put.changed.empty()) return std::nullopt;
        return put;
    }

    // An environment Secret is removed after the workspace that reads it is gone.
    void plan_unused_env() {
        if (observed_.layers_missing) return;
        std::set<std::string> reading;
        std::set<std::string> not_reading;
        for (const DesiredWorkspace& workspace : desired_.workspaces) {
            (workspace.env.empty() ? not_reading : reading).insert(workspace.name);
        }
        for (const auto& [name, secret] : observed_.env) {
            const std::string workspace = secret.meta.label(crds::label::workspace);
            const bool waits = owned_.contains(workspace) && !not_reading.contains(workspace);
            if (!reading.contains(workspace) && !waits) {
                plan_.actions.push_back(RemoveEnv{workspace});
            }
        }
    }

    const crds::Org& org_;
    const Observed& observed_;
    const Desired& desired_;
    const Instant now_;
    std::map<std::string, const crds::Workspace*> owned_;
    std::map<std::string, const crds::Workspace*> adoptable_;
    std::set<std::string> blocked_;
    Plan plan_;
};

Plan plan_deletion(const crds::Org& org, const Observed& observed, Instant now) {
    Plan plan;
    plan_releases(observed, plan);
    const std::string keep_until = org.meta.annotation(crds::annotation::keep_volumes_until);
    std::vector<const crds::Workspace*> marked;
    for (const crds::Workspace& workspace : observed.owned) {
        const bool released = observed.released.contains(workspace.meta.name);
        if (released && !workspace.being_deleted()) continue;
        if (workspace.meta.annotation(crds::annotation::protect) == "true" &&
            !workspace.being_deleted()) {
            plan.prune.pending.push_back(workspace.meta.name);
        }
        if (workspace.being_deleted()) {
            plan.waiting.push_back(fmt::format("{} is being deleted", workspace.meta.name));
        } else {
            marked.push_back(&workspace);
        }
    }
    if (!plan.prune.pending.empty()) {
        plan.prune.reason = reason::is_protected;
        plan.prune.message =
            fmt::format("the Org is not deleted while these are protected by annotation: {}",
                        join(plan.prune.pending, ", "));
        return plan;
    }
    std::map<std::string, const crds::Workspace*> by_name;
    for (const crds::Workspace* workspace : marked) by_name[workspace->meta.name] = workspace;
    for (const std::string& name : children_first(marked)) {
        plan.actions.push_back(deletion_of(*by_name.at(name), Duration::zero(), keep_until, now));
    }
    if (!observed.owned.empty()) return plan;
    for (const auto& [name, secret] : observed.env) {
        plan.actions.push_back(RemoveEnv{secret.meta.label(crds::label::workspace)});
    }
    plan.actions.push_back(ReleaseOrg{});
    return plan;
}

struct TextOfAction {
    std::string operator()(const PutEnv& a) const {
        return fmt::format("set env {}: {}", a.workspace, join(a.changed, ", "));
    }
    std::string operator()(const CreateWorkspace& a) const {
        const std::string text = "create " + a.workspace.name;
        return a.kept.empty() ? text : text + " with the volumes of " + a.kept;
    }
    std::string operator()(const UpdateWorkspace& a) const {
        const std::string& name = a.next.meta.name;
        const std::string fields = join(a.changed, ", ");
        if (!a.parent_changes) return fmt::format("update {}: {}", name, fields);
        const auto shown = [](const std::string& parent) {
            return parent.empty() ? std::string("(root)") : parent;
        };
        return fmt::format("re-parent {}: {} -> {}{}{}", name, shown(a.old_parent),
                           shown(a.next.spec.parent), fields.empty() ? "" : ", ", fields);
    }
    std::string operator()(const DeleteWorkspace& a) const {
        const std::string text = "delete " + a.workspace.meta.name;
        if (!a.keep_until.empty()) {
            return fmt::format("{} (volumes kept until {})", text, a.keep_until);
        }
        if (a.volume_grace <= Duration::zero()) return text;
        return fmt::format("{} (volumes kept for {})", text, format_duration(a.volume_grace));
    }
    std::string operator()(const AdoptWorkspace& a) const {
        return fmt::format("adopt {}{}{}", a.next.meta.name, a.changed.empty() ? "" : ": ",
                           join(a.changed, ", "));
    }
    std::string operator()(const ReleaseWorkspace& a) const {
        return "release " + a.workspace.meta.name;
    }
    std::string operator()(const RemoveEnv& a) const { return "remove env " + a.workspace; }
    std::string operator()(const ReleaseOrg&) const { return "release"; }
};

}  // namespace

Plan plan(const crds::Org& org, const Observed& observed, Instant now) {
    if (org.being_deleted()) return plan_deletion(org, observed, now);
    Plan out;
    if (org.spec.suspend) return out;
    if (auto hold = hold_of(org, observed)) {
        out.hold = std::move(hold);
        return out;
    }
    if (!observed.compiled) return out;
    Desired desired = desired_of(org, *observed.compiled, observed);
    out = Planner(org, observed, desired, now).plan();
    out.desired = std::move(desired);
    if (observed.layers_missing) {
        // A workspace that is created or updated without its environment would start wrong.
        out.retry = Error{Code::unavailable,
                          fmt::format("the Secret with the environment of revision {} of "
                                      "OrgTemplate {} is not there yet",
                                      observed.revision->revision, org.spec.template_ref.name)};
    }
    return out;
}

std::string_view verb_of(const Action& action) {
    struct Verb {
        std::string_view operator()(const PutEnv&) const { return "set-env"; }
        std::string_view operator()(const CreateWorkspace&) const { return "create"; }
        std::string_view operator()(const UpdateWorkspace& a) const {
            return a.parent_changes ? "re-parent" : "update";
        }
        std::string_view operator()(const DeleteWorkspace&) const { return "delete"; }
        std::string_view operator()(const AdoptWorkspace&) const { return "adopt"; }
        std::string_view operator()(const ReleaseWorkspace&) const { return "give-up"; }
        std::string_view operator()(const RemoveEnv&) const { return "remove-env"; }
        std::string_view operator()(const ReleaseOrg&) const { return "release"; }
    };
    return std::visit(Verb{}, action);
}

std::string text_of(const Action& action) {
    return std::visit(TextOfAction{}, action);
}

std::string text_of(const Plan& plan) {
    std::vector<std::string> parts;
    for (const Action& action : plan.actions) parts.push_back(text_of(action));
    for (const std::string& name : plan.conflicts) parts.push_back("name conflict: " + name);
    for (const std::string& problem : plan.problems) parts.push_back("cannot make " + problem);
    for (const std::string& refused : plan.refused) parts.push_back("cannot adopt " + refused);
    for (const std::string& text : plan.waiting) parts.push_back(text);
    if (!plan.prune.pending.empty()) {
        parts.push_back(fmt::format("prune blocked: {}: {}", plan.prune.reason,
                                    join(plan.prune.pending, ", ")));
    }
    return join(parts, ", ");
}

}  // namespace atelier::reconcilers::org
