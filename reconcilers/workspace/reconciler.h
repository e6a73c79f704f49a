// Workspace: one agent, with its network, volumes, files, plugins and unit, as declared.
//
// Files below /configs are written into the made, not yet started unit. Those that are no longer
// declared are removed twice over, because the volume outlives the unit: in the old unit before it
// stops (their paths stand in its label), and by our agent when it starts (they stand in
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

    WorkspaceReconciler(Objects& objects, Runtimes runtimes, Log log)
        : objects_(objects), runtimes_(std::move(runtimes)), log_(std::move(log)) {}

    std::string_view resource() const override { return crds::WorkspaceSpec::resource; }
    std::string_view name() const override { return "workspace"; }
    std::vector<Interest> interests() const override;
    Result<Outcome> reconcile(const Key& key, Instant now) override;

    // What is seen of it, here and in the runtimes. Changes nothing.
    Result<workspace::Observed> observe(const crds::Workspace& object) const;

  private:
    void observe_units(const crds::Workspace& object, workspace::Observed& observed) const;
    Result<void> observe_plugins(const crds::Workspace& object,
                                 workspace::Observed& observed) const;
    Result<void> observe_desired(const crds::Workspace& object,
                                 workspace::Observed& observed) const;
    void observe_mount(const crds::Workspace& object, workspace::Observed& observed) const;
    Result<void> observe_leftovers(const crds::Workspace& object,
                                   workspace::Observed& observed) const;

    Result<void> reap(const Key& key);
    void record_events(const crds::Workspace& object, const crds::WorkspaceStatus& next,
                       const workspace::Plan& plan, bool acted, Instant now);
    void record_end(const crds::Workspace& object, const workspace::Plan& plan, Instant now);

    Objects& objects_;
    const Runtimes runtimes_;
    const Log log_;
};

}  // namespace atelier::reconcilers
