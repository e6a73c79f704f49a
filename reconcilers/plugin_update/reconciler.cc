#include "reconcilers/plugin_update/reconciler.h"

#include <set>

#include "crds/plugin_update_conditions.h"
#include "crds/workspace_conditions.h"
#include "reconcilers/common/events.h"
#include "reconcilers/common/indexes.h"
#include "reconcilers/common/installs.h"
#include "reconcilers/common/status.h"

namespace atelier::reconcilers {
namespace {

using crds::Plugin;
using crds::PluginInstall;
using crds::PluginUpdate;
using crds::UpdatePhase;
using crds::UpdateTier;
using crds::Workspace;

// Of these updates of one plugin: the open ones, and the newest applied one, which still gives its
// version to installs that were created during the rollout.
std::vector<Key> useful(const std::vector<store::ObjectPtr>& updates) {
    std::vector<Key> keys;
    std::optional<std::pair<Instant, Key>> newest;
    for (const auto& object : updates) {
        const auto update = crds::decode<PluginUpdate>(object->body);
        if (!update) continue;
        const auto& at = update->status.completed_at;
        if (crds::is_open(*update)) {
            keys.push_back(object->key);
        } else if (update->status.phase == UpdatePhase::applied && at &&
                   (!newest || newest->first <= *at)) {
            newest = {*at, object->key};
        }
    }
    if (newest) keys.push_back(std::move(newest->second));
    return keys;
}

std::vector<Key> of_named(const store::Store& store, const std::string& ns,
                          const std::string& plugin) {
    return useful(store.by_index(index::updates_by_plugin, store::in_namespace(ns, plugin)));
}

std::vector<Key> open_updates(const store::Store& store) {
    std::vector<Key> keys;
    const auto all = store.list(crds::PluginUpdateSpec::resource);
    for (const auto& object : all->objects) {
        const auto update = crds::decode<PluginUpdate>(object->body);
        if (update && crds::is_open(*update)) keys.push_back(object->key);
    }
    return keys;
}

std::vector<Key> of_plugin(const store::Event& event, const store::Store& store) {
    return of_named(store, event.object->key.ns, event.object->key.name);
}

std::vector<Key> of_install(const store::Event& event, const store::Store& store) {
    const auto install = crds::decode<PluginInstall>(event.object->body);
    if (!install) return {};
    return of_named(store, install->meta.ns, install->spec.plugin);
}

std::string reason_of_health(const Workspace& workspace) {
    const crds::Condition* healthy = workspace.status.find(crds::workspace::condition::healthy);
    return healthy ? healthy->reason : std::string();
}

// What a rollout reads of a workspace.
bool matters(const store::Event& event) {
    if (event.change != store::Change::modified || !event.previous) return true;
    const auto before = crds::decode<Workspace>(event.previous->body);
    const auto after = crds::decode<Workspace>(event.object->body);
    if (!before || !after) return true;
    return before->status.is_true(crds::condition::ready) !=
               after->status.is_true(crds::condition::ready) ||
           reason_of_health(*before) != reason_of_health(*after) ||
           before->status.started_at != after->status.started_at ||
           before->meta.generation != after->meta.generation ||
           before->being_deleted() != after->being_deleted();
}

// The updates of every plugin that is installed in it.
std::vector<Key> of_workspace(const store::Event& event, const store::Store& store) {
    if (!matters(event)) return {};
    const Key& workspace = event.object->key;
    std::set<Key> keys;
    for (const auto& object : store.by_index(index::installs_by_workspace,
                                             store::in_namespace(workspace.ns, workspace.name))) {
        const auto install = crds::decode<PluginInstall>(object->body);
        if (!install) continue;
        for (Key& key : of_named(store, workspace.ns, install->spec.plugin)) {
            keys.insert(std::move(key));
        }
    }
    return {keys.begin(), keys.end()};
}

std::vector<Key> of_tier(const store::Event&, const store::Store& store) {
    return open_updates(store);
}

}  // namespace

std::vector<Interest> PluginUpdateReconciler::interests() const {
    return {{std::string(crds::PluginSpec::resource), of_plugin},
            {std::string(crds::PluginInstallSpec::resource), of_install},
            {std::string(crds::WorkspaceSpec::resource), of_workspace},
            {std::string(crds::UpdateTierSpec::resource), of_tier}};
}

Result<Outcome> PluginUpdateReconciler::reconcile(const Key& key, Instant now) {
    const auto update = TRY(objects_.find<PluginUpdate>(key.ns, key.name));
    if (!update) return Outcome{};
    if (update->being_deleted()) {
        TRY(objects_.report(*update, terminating_status(*update, now), now));
        return Outcome{};
    }
    const UpdatePhase phase = update->status.phase;
    if (crds::has_ended(phase) && phase != UpdatePhase::applied) return Outcome{};
    const plugin_update::Observed observed = TRY(observe(*update));
    const plugin_update::Plan plan = plugin_update::plan(*update, observed, now);
    TRY(execute(*update, plan, now));
    // No event tells that a tree came back to the tree store: try again.
    if (!crds::has_ended(plan.status.phase) && plan.status.change_class.empty()) {
        return Error{Code::unavailable, "the files of the two versions are not here yet"};
    }
    return Outcome{.wake_at = plan.wake_at};
}

Result<plugin_update::Observed> PluginUpdateReconciler::observe(const PluginUpdate& update) const {
    plugin_update::Observed observed;
    const std::string& plugin = update.spec.plugin;
    const std::string& ns = update.meta.ns;
    observed.plugin = TRY(objects_.find<Plugin>(ns, plugin));
    for (PluginInstall& install : TRY(installs_of_plugin(objects_, ns, plugin))) {
        auto workspace = TRY(objects_.find<Workspace>(ns, install.spec.workspace));
        observed.members.push_back({std::move(install), std::move(workspace)});
    }
    const auto tiers = TRY(objects_.list<UpdateTier>(""));
    for (const UpdateTier& tier : tiers) observed.tiers[tier.meta.name] = tier.spec;
    if (update.status.change_class.empty()) {
        const auto from = trees_.get(update.spec.from.digest);
        const auto to = trees_.get(update.spec.to.digest);
        if (from && to) observed.comparison = plugin_update::compare(**from, **to);
    }
    return observed;
}

Result<void> PluginUpdateReconciler::execute(const PluginUpdate& update,
                                             const plugin_update::Plan& plan, Instant now) {
    for (const std::string& name : plan.moves) {
        auto install = TRY(objects_.find<PluginInstall>(update.meta.ns, name));
        if (!install || install->being_deleted()) continue;
        install->spec.version = update.spec.to;
        TRY(objects_.update(*install, now));
    }
    const bool wrote = TRY(objects_.report(update, plan.status, now));
    if (!wrote && plan.moves.empty()) return {};
    record_events(objects_, update, plan.events, now);
    return {};
}

}  // namespace atelier::reconcilers
