// Org: the workspaces of the compiled template exist, with its environment, and no others of ours.
// Owns by owner reference only; a workspace of the right name without one is left alone.
#pragma once

#include "base/log.h"
#include "base/metrics.h"
#include "crds/org.h"
#include "drivers/trees/tree.h"
#include "reconcilers/common/objects.h"
#include "reconcilers/org/compiled_cache.h"
#include "reconcilers/org/import.h"
#include "reconcilers/org/observed.h"
#include "reconcilers/org/plan.h"
#include "reconcilers/reconciler.h"

namespace atelier::reconcilers {

class OrgReconciler final : public Reconciler {
  public:
    // Collaborators outlive it. `metrics` may be nullptr: actions are not counted then.
    // `fingerprint_key`: the one that plans are made with.
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

    // What the Org would be made from, as those objects have it: observe_sources() with the
    // templates that were read already.
    Result<OrgObserved> sources_of(const crds::Org& org, const Objects& objects);

  private:
    Result<Outcome> reconcile_live(const crds::Org& observed, Instant now);
    Result<Outcome> reconcile_deleted(const crds::Org& org, Instant now);
    Result<void> execute(const crds::Org& org, const OrgPlan& plan, const OrgObserved& observed,
                         Instant now);
    Result<void> execute_one(const crds::Org& org, const OrgAction& action,
                             const OrgObserved& observed, Instant now);
    Result<std::optional<crds::Org>> begin_import(const crds::Org& org, const OrgObserved& observed,
                                                  Instant now);
    void record_events(const crds::Org& org, const std::vector<ImportEvent>& events, Instant now);
    Result<void> end_plan(const crds::Org& org, Instant now);
    Result<void> hold_kept(const crds::Org& org, const std::string& name, Instant now);
    Result<void> put_env(const crds::Org& org, const OrgObserved& observed, const PutEnv& put,
                         Instant now);
    Result<void> take_env(const crds::Org& org, const crds::Meta& workspace,
                          const crds::OwnerReference& to, const std::string& from_uid, Instant now);
    Result<void> give_up(const crds::Org& org, crds::Workspace workspace, Instant now);
    Result<void> report(const crds::Org& org, const crds::OrgStatus& next, Instant now);

    Objects& objects_;
    drivers::TreeStore& trees_;
    CompiledCache compiled_;
    Log log_;
    Metrics* metrics_;
    const std::string fingerprint_key_;
};

// Which revision of observed.source the Org is to run: fills `pinned`, and `revision` or
// `unknown_revision`. Pure.
void choose_revision(const crds::Org& org, OrgObserved& observed);

// Its template, and what gives its workspaces their environment; not what it owns.
Result<OrgObserved> observe_sources(const crds::Org& org, const Objects& objects,
                                    drivers::TreeStore& trees, CompiledCache& cache);
// Reads everything that concerns the Org. An artifact that is not in the tree store counts as none.
Result<OrgObserved> observe_org(const crds::Org& org, const Objects& objects,
                                drivers::TreeStore& trees, CompiledCache& cache);

std::vector<Interest> org_interests();

}  // namespace atelier::reconcilers
