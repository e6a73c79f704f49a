// The reconcilers of OrgTemplate and Org over an overlay, as controllers would run them, one after
// the other, until nothing changes.
#pragma once

#include <map>
#include <set>

#include "forecast/context.h"
#include "reconcilers/org/reconciler.h"
#include "reconcilers/org_template/reconciler.h"

namespace atelier::forecast {

// The scene outlives it.
class Convergence {
  public:
    explicit Convergence(ForecastContext& context);

    // Blocks as long as fetching takes. What a reconciler fails with is no error of the whole but
    // is kept. Code::internal when they do not come to rest, cancelled at the server's end.
    Result<void> settle(std::set<Key> due);

    const std::set<Key>& looked_at() const { return looked_at_; }
    const std::map<Key, Error>& failures() const { return failures_; }  // of the last round
    reconcilers::OrgReconciler& orgs() { return orgs_; }

  private:
    void wake(const std::vector<store::EventPtr>& events);
    Result<void> reconcile(reconcilers::Reconciler& reconciler, const std::set<Key>& keys);

    ForecastContext& context_;
    reconcilers::OrgTemplateReconciler templates_;
    reconcilers::OrgReconciler orgs_;
    std::set<Key> due_;
    std::set<Key> looked_at_;
    std::map<Key, Error> failures_;
};

}  // namespace atelier::forecast
