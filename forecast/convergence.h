// Runs the reconcilers of OrgTemplate and Org over an overlay until nothing changes: in one thread,
// one key after the other, woken by what was written as their controllers would be.
#pragma once

#include <map>
#include <set>

#include "forecast/context.h"
#include "reconcilers/org/reconciler.h"
#include "reconcilers/org_template/reconciler.h"

namespace atelier::forecast {

// Used by one thread. The context outlives it.
class Convergence {
  public:
    explicit Convergence(ForecastContext& context);

    // Reconciles `due` and what becomes due by it. Blocks for as long as fetching takes. The error
    // of a reconciler does not end it but is kept. Errors: internal when the reconcilers have not
    // come to rest after 20 rounds; cancelled at the end of the server.
    Result<void> settle(std::set<Key> due);

    const std::set<Key>& reconciled() const { return reconciled_; }
    const std::map<Key, Error>& failures() const { return failures_; }  // of the last round
    reconcilers::OrgReconciler& orgs() { return orgs_; }

  private:
    void wake(const std::vector<store::EventPtr>& events);
    Result<void> reconcile(reconcilers::Reconciler& reconciler, const std::set<Key>& keys);

    ForecastContext& context_;
    reconcilers::OrgTemplateReconciler templates_;
    reconcilers::OrgReconciler orgs_;
    std::set<Key> due_;
    std::set<Key> reconciled_;
    std::map<Key, Error> failures_;
};

}  // namespace atelier::forecast
