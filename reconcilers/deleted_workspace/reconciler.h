// DeletedWorkspace: the volumes of a workspace that went are there until they expire, are asked
// back or are given up. They go when this object goes, unless a Workspace has them by then.
#pragma once

#include "base/log.h"
#include "crds/deleted_workspace.h"
#include "reconcilers/common/objects.h"
#include "reconcilers/common/runtimes.h"
#include "reconcilers/deleted_workspace/plan.h"
#include "reconcilers/reconciler.h"

namespace atelier::reconcilers {

class DeletedWorkspaceReconciler final : public Reconciler {
  public:
    DeletedWorkspaceReconciler(Objects& objects, Runtimes runtimes, Log log)
        : objects_(objects), runtimes_(std::move(runtimes)), log_(std::move(log)) {}

    std::string_view resource() const override { return crds::DeletedWorkspaceSpec::resource; }
    std::string_view name() const override { return "deletedworkspace"; }
    std::vector<Interest> interests() const override;
    Result<Outcome> reconcile(const Key& key, Instant now) override;

  private:
    Result<deleted_workspace::Observed> observe(const crds::DeletedWorkspace& object) const;
    Result<bool> is_env_due(const crds::DeletedWorkspace& object,
                            const VolumesHolder& holder) const;
    Result<void> execute(const crds::DeletedWorkspace& object, const deleted_workspace::Plan& plan,
                         Instant now);
    // `object` is as the actions before this one left it.
    Result<void> execute(crds::DeletedWorkspace& object, const deleted_workspace::Action& action,
                         Instant now);
    Result<void> give_env(const crds::DeletedWorkspace& object, const std::string& workspace,
                          Instant now);

    Objects& objects_;
    const Runtimes runtimes_;
    const Log log_;
};

}  // namespace atelier::reconcilers
