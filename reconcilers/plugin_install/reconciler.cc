#include "reconcilers/plugin_install/reconciler.h"

#include "reconcilers/common/events.h"
#include "reconcilers/common/status.h"
#include "reconcilers/plugin_install/events.h"
#include "reconcilers/plugin_install/observe.h"
#include "reconcilers/plugin_install/status.h"

namespace atelier::reconcilers {
namespace {

using crds::PluginInstall;
using plugin_install::Action;
using plugin_install::Observed;
using plugin_install::Plan;

bool releases(const Plan& plan) {
    return !plan.actions.empty() &&
           std::holds_alternative<plugin_install::Release>(plan.actions.back());
}

}  // namespace

Result<Outcome> PluginInstallReconciler::reconcile(const Key& key, Instant now) {
    auto found = TRY(objects_.find<PluginInstall>(key.ns, key.name));
    if (!found) return Outcome{};
    PluginInstall install = std::move(*found);
    if (install.being_deleted() && !install.meta.has_finalizer(finalizer)) {
        TRY(objects_.report(install, terminating_status(install, now), now));
        return Outcome{};
    }
    if (!install.being_deleted()) {
        install = TRY(objects_.add_finalizer(std::move(install), finalizer, now));
    }
    auto observation = TRY(plugin_install::observe(install, objects_, runtimes_));
    const Plan plan = plugin_install::plan(install, observation.observed);
    std::optional<Error> failure;
    if (!plan.actions.empty()) {
        const auto acted = execute(install, plan, observation.folder.get(), now);
        log_.info(acted ? "acted" : "could not act",
                  {{"install", key.ns + "/" + key.name}, {"plan", plugin_install::text(plan)}});
        if (acted && releases(plan)) return Outcome{};
        if (!acted) failure = acted.error();
        observation = TRY(plugin_install::observe(install, objects_, runtimes_));
    }
    const Observed& observed = observation.observed;
    const auto status = plugin_install::status(install, observed, plan, failure, now);
    if (TRY(objects_.report(install, status, now))) {
        record_events(objects_, install, plugin_install::events(install, status), now);
        if (plugin_install::was_delivered(install, status)) count_delivery(status);
    }
    if (failure) return *failure;
    if (observed.place == Observed::Place::unknown) {
        return Error{Code::unavailable, observed.problem};
    }
    return Outcome{plugin_install::next_wake(install, observed, status, now)};
}

Result<void> PluginInstallReconciler::execute(const PluginInstall& install, const Plan& plan,
                                              drivers::PluginFolder* folder, Instant now) {
    const std::string stamp = new_stamp(now, runtimes_.random);
    for (const Action& action : plan.actions) {
        if (std::holds_alternative<plugin_install::Release>(action)) {
            TRY(objects_.release(install, finalizer, now));
            continue;
        }
        CHECK(folder != nullptr);
        TRY(execute(action, install.spec.plugin, stamp, *folder));
    }
    return {};
}

Result<void> PluginInstallReconciler::execute(const Action& action, const std::string& plugin,
                                              const std::string& stamp,
                                              drivers::PluginFolder& folder) {
    if (const auto* stage = std::get_if<plugin_install::Stage>(&action)) {
        const drivers::TreePtr tree = TRY(runtimes_.trees.get(stage->digest));
        return folder.stage(plugin, stamp, *tree);
    }
    if (std::holds_alternative<plugin_install::Swap>(action)) return folder.swap(plugin, stamp);
    if (std::holds_alternative<plugin_install::Remove>(action)) return folder.remove(plugin, stamp);
    if (std::holds_alternative<plugin_install::Collect>(action)) return folder.collect(plugin);
    CHECK(std::holds_alternative<plugin_install::Restore>(action));
    // No previous tree is complete: the version is delivered anew.
    auto restored = folder.restore(plugin);
    if (!restored && restored.error().code == Code::not_found) return {};
    return restored;
}

void PluginInstallReconciler::count_delivery(const crds::PluginInstallStatus& next) {
    runtimes_.metrics
        .counter("atelier_plugin_installs_total", "Deliveries of plugins into workspaces.",
                 {{"class", plugin_install::change_class_of(next)}, {"delivery", next.delivery}})
        .add();
}

}  // namespace atelier::reconcilers
