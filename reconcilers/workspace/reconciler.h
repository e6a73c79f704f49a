// Workspace: one agent, with its network, volumes, files, plugins and unit, as declared.
//
// Files below /configs are written into the unit before it starts. Those that are no longer
// declared are removed twice over, because the volume outlives the unit: in the old unit before it
// stops (their paths are in its label), and by atelier-agent when it starts (they are in
// /configs/.atelier-files).
#pragma once

#include "crds/workspace.h"
#include "reconcilers/common/kept_volumes.h"
#include "reconcilers/common/objects.h"
#include "reconcilers/common/runtimes.h"
#include "reconcilers/reconciler.h"
#include "reconcilers/workspace/plan.h"

namespace atelier::reconcilers {

class WorkspaceReconciler final : public Reconciler {
  public:
    static constexpr std::string_view finalizer = workspace_finalizer;

    // `objects` and the collaborators of `runtimes` outlive it.
    WorkspaceReconciler(Objects& objects, Runtimes runtimes, Log log)
        : objects_(objects), runtimes_(std::move(runtimes)), log_(std::move(log)) {}

    std::string_view resource() const override { return crds::WorkspaceSpec::resource; }
    std::string_view name() const override { return "workspace"; }
    std::vector<Interest> interests() const override;
    Result<Outcome> reconcile(const Key& key, Instant now) override;

    // See workspace/observe.h; public for forecasts.
    Result<workspace::Observed> observe(const crds::Workspace& object) const;

  private:
    Result<Outcome> reconcile_object(crds::Workspace object, Instant now);
    Result<crds::Workspace> remember_backend(const crds::Workspace& object,
                                             const std::string& backend, Instant now);
    Result<void> execute(const crds::Workspace& object, const workspace::Plan& plan,
                         const workspace::Observed& observed, Instant now);
    Result<void> stop_orphans(const Key& key);

    Objects& objects_;
    const Runtimes runtimes_;
    const Log log_;
};

}  // namespace atelier::reconcilers
