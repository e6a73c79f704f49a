// Plugin: checks upstream at its interval, takes the first version that it finds without asking,
// and creates a PluginUpdate for every later one, which waits for a decision.
#pragma once

#include "crds/plugin.h"
#include "drivers/git/git.h"
#include "drivers/trees/tree.h"
#include "reconcilers/common/objects.h"
#include "reconcilers/plugin/plan.h"
#include "reconcilers/plugin/upstream.h"
#include "reconcilers/reconciler.h"

namespace atelier::reconcilers {

class PluginReconciler final : public Reconciler {
  public:
    // Collaborators outlive it.
    PluginReconciler(Objects& objects, drivers::Git& git, drivers::TreeStore& trees,
                     plugin::Options options)
        : objects_(objects), trees_(trees), upstream_(objects, git, trees, std::move(options)) {}

    std::string_view resource() const override { return crds::PluginSpec::resource; }
    std::string_view name() const override { return "plugin"; }
    std::vector<Interest> interests() const override;
    Result<Outcome> reconcile(const Key& key, Instant now) override;

  private:
    Result<plugin::Observed> observe(const crds::Plugin& plugin, Instant now) const;
    Result<void> execute(const crds::Plugin& plugin, const plugin::Plan& plan, Instant now);

    Objects& objects_;
    drivers::TreeStore& trees_;
    const plugin::Upstream upstream_;
};

}  // namespace atelier::reconcilers
