// PluginInstall: this plugin, at this digest, in this workspace. What is delivered is read from the
// workspace's plugins folder each time; nothing about it is remembered.
#pragma once

#include "crds/plugin_install.h"
#include "reconcilers/common/objects.h"
#include "reconcilers/common/runtimes.h"
#include "reconcilers/plugin_install/plan.h"
#include "reconcilers/reconciler.h"

namespace atelier::reconcilers {

class PluginInstallReconciler final : public Reconciler {
  public:
    static constexpr std::string_view finalizer = "atelier.dev/plugininstall";

    // `objects` and the collaborators of `runtimes` outlive it.
    PluginInstallReconciler(Objects& objects, Runtimes runtimes, Log log)
        : objects_(objects), runtimes_(std::move(runtimes)), log_(std::move(log)) {}

    std::string_view resource() const override { return crds::PluginInstallSpec::resource; }
    std::string_view name() const override { return "plugininstall"; }
    std::vector<Interest> interests() const override;
    Result<Outcome> reconcile(const Key& key, Instant now) override;

  private:
    Result<void> execute(const crds::PluginInstall& install, const plugin_install::Plan& plan,
                         drivers::PluginFolder* folder, Instant now);
    Result<void> execute(const plugin_install::Action& action, const std::string& plugin,
                         const std::string& stamp, drivers::PluginFolder& folder);
    void count_delivery(const crds::PluginInstallStatus& next);

    Objects& objects_;
    const Runtimes runtimes_;
    const Log log_;
};

}  // namespace atelier::reconcilers
