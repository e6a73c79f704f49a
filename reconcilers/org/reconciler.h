// Org: the workspaces of the compiled template exist, with its environment, and the Org owns no
// others. Ownership is the owner reference alone: a workspace of the right name without one is left
// as it is.
#pragma once

#include <string>
#include <vector>

#include "base/log.h"
#include "base/metrics.h"
#include "crds/org.h"
#include "drivers/trees/tree.h"
#include "reconcilers/common/objects.h"
#include "reconcilers/org/compiled_cache.h"
#include "reconcilers/org/import.h"
#include "reconcilers/org/observe.h"
#include "reconcilers/org/plan.h"
#include "reconcilers/reconciler.h"

namespace atelier::reconcilers {

class OrgReconciler final : public Reconciler {
  public:
    // Collaborators outlive it. `metrics`: nullptr, and actions are not counted.
    // `fingerprint_key`: the server's key for digests of values, the same as for forecasts.
    OrgReconciler(Objects& objects, drivers::TreeStore& trees, Log log, Metrics* metrics = nullptr,
                  std::string fingerprint_key = {})
        : objects_(objects),
          trees_(trees),
          log_(std::move(log)),
          metrics_(metrics),
          fingerprint_key_(std::move(fingerprint_key)) {}

    std::string_view resource() const override { return crds::OrgSpec::resource; }
    std::string_view name() const override { return "org"; }
    std::vector<Interest> interests() const override;
    Result<Outcome> reconcile(const Key& key, Instant now) override;

    // org::observe_sources() over `objects`, with this reconciler's cache of compiled templates.
    Result<org::Observed> sources_of(const crds::Org& org, const Objects& objects);

  private:
    Result<org::Observed> observe(const crds::Org& org);
    Result<std::optional<crds::Org>> start_import(const crds::Org& org,
                                                  const org::Observed& observed, Instant now);
    Result<void> execute(const crds::Org& org, const org::Plan& plan, const org::Observed& observed,
                         Instant now);
    void count(const org::Action& action, bool done);
    Result<void> report(const crds::Org& org, const org::Observed& observed, const org::Plan& plan,
                        const std::optional<Error>& failure, Instant now);
    void record_events(const crds::Org& org, const std::vector<org::ImportEvent>& events,
                       Instant now);
    void record_changes(const crds::Org& org, const crds::OrgStatus& next, Instant now);
    Result<void> unbind(const crds::Org& org, Instant now);

    Objects& objects_;
    drivers::TreeStore& trees_;
    org::CompiledCache compiled_;
    Log log_;
    Metrics* metrics_;
    const std::string fingerprint_key_;
};

}  // namespace atelier::reconcilers
