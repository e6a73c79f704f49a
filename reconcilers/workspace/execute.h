// Carries out the plan of a Workspace, one call of a driver or of the store for each action.
#pragma once

#include <string>

#include "crds/deleted_workspace.h"
#include "crds/workspace.h"
#include "drivers/trees/tree.h"
#include "reconcilers/common/objects.h"
#include "reconcilers/common/runtimes.h"
#include "reconcilers/workspace/plan.h"

namespace atelier::reconcilers::workspace {

// For one plan: it remembers the files that it read and the unit that it made. Collaborators
// outlive it.
class Executor {
  public:
    Executor(Objects& objects, const Runtimes& runtimes, const crds::Workspace& workspace,
             const Observed& observed, Instant now)
        : objects_(objects),
          runtimes_(runtimes),
          workspace_(workspace),
          observed_(observed),
          now_(now) {}

    // Stops at the first failure.
    Result<void> execute(const Plan& plan);

  private:
    Result<void> execute(const CreateInstall& action);
    Result<void> execute(const DeleteInstall& action);
    Result<void> execute(const FindImage& action);
    Result<void> execute(const ReadFiles& action);
    Result<void> execute(const EnsureNetwork& action);
    Result<void> execute(const EnsureVolume& action);
    Result<void> execute(const PrepareFolder& action);
    Result<void> execute(const JoinNetwork& action);
    Result<void> execute(const TryCreate& action);
    Result<void> execute(const RemoveFiles& action);
    Result<void> execute(const Stop& action);
    Result<void> execute(const RemoveUnit& action);
    Result<void> execute(const Create& action);
    Result<void> execute(const WriteFiles& action);
    Result<void> execute(const Start& action);
    Result<void> execute(const RemoveVolume& action);
    Result<void> execute(const KeepVolumes& action);
    Result<void> execute(const DestroyFolder& action);
    Result<void> execute(const RemoveNetwork& action);
    Result<void> execute(const LeaveChildren& action);
    Result<void> execute(const Release& action);

    drivers::UnitSpec labelled_unit(std::int64_t attempt, std::int64_t restarts) const;
    crds::DeletedWorkspaceSpec remains(const KeepVolumes& action, bool has_env) const;
    Result<std::optional<crds::Secret>> own_env() const;
    Result<drivers::Runtime*> runtime(const std::string& backend) const;
    Result<drivers::Runtime*> runtime() const { return runtime(observed_.backend); }

    Objects& objects_;
    const Runtimes& runtimes_;
    const crds::Workspace& workspace_;
    const Observed& observed_;
    const Instant now_;
    drivers::Tree files_;  // from ReadFiles on
    std::string unit_id_;  // from Create on
};

}  // namespace atelier::reconcilers::workspace
