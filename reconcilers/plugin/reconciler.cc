#include "reconcilers/plugin/reconciler.h"

#include <algorithm>

#include "crds/plugin_install_conditions.h"
#include "crds/plugin_update_conditions.h"
#include "reconcilers/common/events.h"
#include "reconcilers/common/indexes.h"
#include "reconcilers/common/installs.h"
#include "reconcilers/common/status.h"

namespace atelier::reconcilers {
namespace {

using crds::Plugin;
using crds::PluginInstall;
using crds::PluginUpdate;

Key key_of(const std::string& ns, const std::string& name) {
    return {std::string(crds::PluginSpec::resource), ns, name};
}

std::vector<Key> of_update(const store::Event& event, const store::Store&) {
    const auto update = crds::decode<PluginUpdate>(event.object->body);
    if (!update) return {};
    return {key_of(update->meta.ns, update->spec.plugin)};
}

// One that is created or deleted changes their number. One that misses the files of its version
// makes the Plugin fetch them again.
std::vector<Key> of_install(const store::Event& event, const store::Store&) {
    const auto install = crds::decode<PluginInstall>(event.object->body);
    if (!install) return {};
    if (event.change == store::Change::modified) {
        const crds::Condition* ready = install->status.find(crds::condition::ready);
        if (!ready || ready->reason != crds::plugin_install::reason::waiting_for_plugin) return {};
    }
    return {key_of(install->meta.ns, install->spec.plugin)};
}

std::vector<Key> of_secret(const store::Event& event, const store::Store& store) {
    const Key& secret = event.object->key;
    return keys_by(store, index::plugins_by_secret, secret.ns, secret.name);
}

bool same_content_known(const Plugin& plugin, const plugin::Approved& approved) {
    return plugin.status.approved && plugin.status.approved->digest == approved.version->digest &&
           plugin.status.capabilities.files > 0;
}

}  // namespace

std::vector<Interest> PluginReconciler::interests() const {
    return {{std::string(crds::PluginUpdateSpec::resource), of_update},
            {std::string(crds::PluginInstallSpec::resource), of_install},
            {std::string(crds::Secret::resource), of_secret}};
}

Result<Outcome> PluginReconciler::reconcile(const Key& key, Instant now) {
    const auto plugin = TRY(objects_.find<Plugin>(key.ns, key.name));
    // The garbage collector deletes its updates, which it owns. Its installs go when no workspace
    // names it any more.
    if (!plugin) return Outcome{};
    if (plugin->being_deleted()) {
        TRY(objects_.report(*plugin, terminating_status(*plugin, now), now));
        return Outcome{};
    }
    const plugin::Observed observed = TRY(observe(*plugin, now));
    const plugin::Approved approved = plugin::approved_now(*plugin, observed, now);
    std::optional<PluginContent> content;
    if (approved.version && !same_content_known(*plugin, approved)) {
        const auto tree = trees_.get(approved.version->digest);
        if (tree) content = inspect(**tree);
    }
    const plugin::Plan plan = plugin::plan(*plugin, observed, content, now);
    TRY(execute(*plugin, plan, now));
    if (plan.retry) return *plan.retry;
    return Outcome{plan.wake_at};
}

Result<plugin::Observed> PluginReconciler::observe(const Plugin& plugin, Instant now) const {
    plugin::Observed observed;
    const std::string& name = plugin.meta.name;
    const auto installs = TRY(installs_of_plugin(objects_, plugin.meta.ns, name));
    observed.installs = static_cast<std::int64_t>(installs.size());
    observed.updates = TRY(objects_.by_index<PluginUpdate>(
        index::updates_by_plugin, store::in_namespace(plugin.meta.ns, name)));

    if (plugin::is_due(plugin, now)) observed.check = upstream_.look(plugin);
    if (observed.check && observed.check->failure &&
        observed.check->failure->error.code == Code::cancelled) {
        return observed.check->failure->error;  // the server stops: nothing was learned
    }
    if (plugin.spec.suspend || (observed.check && observed.check->failure)) return observed;

    // Versions in use must not be lost, whatever happens to the disk.
    const auto keep = [&](const crds::PluginVersion& version, bool needed) {
        const auto kept = upstream_.keep(plugin, version);
        if (kept || !needed) return;
        if (!observed.check) observed.check.emplace();
        observed.check->failure = {plugin::Check::Failure::Stage::source, kept.error()};
    };
    if (plugin.status.approved) keep(*plugin.status.approved, true);
    for (const PluginUpdate& update : observed.updates) {
        // One that is not approved may turn out to be superseded instead.
        const bool approved = update.spec.decision == crds::Decision::approve;
        if (crds::is_open(update)) keep(update.spec.to, approved);
    }
    return observed;
}

Result<void> PluginReconciler::execute(const Plugin& plugin, const plugin::Plan& plan,
                                       Instant now) {
    // The status first: an update whose target is not `latest` counts as superseded.
    const bool wrote = TRY(objects_.report(plugin, plan.status, now));
    if (plan.create) {
        crds::Meta meta;
        meta.name = plan.create->name;
        meta.ns = plugin.meta.ns;
        meta.labels[std::string(crds::label::plugin)] = plugin.meta.name;
        meta.owners = {plugin.as_owner()};
        TRY(objects_.create<PluginUpdate>(meta, plan.create->spec, now));
    }
    if (!wrote && !plan.create) return {};
    record_events(objects_, plugin, plan.events, now);
    return {};
}

}  // namespace atelier::reconcilers
