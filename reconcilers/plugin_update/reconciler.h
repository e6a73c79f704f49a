// PluginUpdate: waits for a decision, and takes an approved version to the installs, tier by tier.
#pragma once

#include "crds/plugin_update.h"
#include "drivers/trees/tree.h"
#include "reconcilers/common/objects.h"
#include "reconcilers/plugin_update/plan.h"
#include "reconcilers/reconciler.h"

namespace atelier::reconcilers {

class PluginUpdateReconciler final : public Reconciler {
  public:
    // Collaborators outlive it.
    PluginUpdateReconciler(Objects& objects, drivers::TreeStore& trees)
        : objects_(objects), trees_(trees) {}

    std::string_view resource() const override { return crds::PluginUpdateSpec::resource; }
    std::string_view name() const override { return "pluginupdate"; }
    std::vector<Interest> interests() const override;
    Result<Outcome> reconcile(const Key& key, Instant now) override;

  private:
    Result<plugin_update::Observed> observe(const crds::PluginUpdate& update) const;
    Result<void> execute(const crds::PluginUpdate& update, const plugin_update::Plan& plan,
                         Instant now);

    Objects& objects_;
    drivers::TreeStore& trees_;
};

}  // namespace atelier::reconcilers
