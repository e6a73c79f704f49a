// PluginPolicy: counts the installs that it refuses now. Refusing is PluginInstall's business.
#pragma once

#include "crds/plugin_policy.h"
#include "reconcilers/common/objects.h"
#include "reconcilers/reconciler.h"

namespace atelier::reconcilers {

class PluginPolicyReconciler final : public Reconciler {
  public:
    explicit PluginPolicyReconciler(Objects& objects) : objects_(objects) {}

    std::string_view resource() const override { return crds::PluginPolicySpec::resource; }
    std::string_view name() const override { return "pluginpolicy"; }
    std::vector<Interest> interests() const override;
    Result<Outcome> reconcile(const Key& key, Instant now) override;

  private:
    Objects& objects_;
};

}  // namespace atelier::reconcilers
