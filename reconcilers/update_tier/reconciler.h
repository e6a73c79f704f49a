// UpdateTier: counts its members. What a tier means for an update is PluginUpdate's business.
#pragma once

#include "crds/update_tier.h"
#include "reconcilers/common/objects.h"
#include "reconcilers/reconciler.h"

namespace atelier::reconcilers {

class UpdateTierReconciler final : public Reconciler {
  public:
    explicit UpdateTierReconciler(Objects& objects) : objects_(objects) {}

    std::string_view resource() const override { return crds::UpdateTierSpec::resource; }
    std::string_view name() const override { return "updatetier"; }
    std::vector<Interest> interests() const override;
    Result<Outcome> reconcile(const Key& key, Instant now) override;

  private:
    Objects& objects_;
};

namespace update_tier {

// The status that follows from the number of members. Pure.
crds::UpdateTierStatus status(const crds::UpdateTier& tier, std::int64_t members, Instant now);

}  // namespace update_tier

}  // namespace atelier::reconcilers
