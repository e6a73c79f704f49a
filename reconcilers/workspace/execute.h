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

// The network goes with the last workspace; one that is going itself does not need it.
bool is_last_of_server(const Objects& objects, const std::string& uid);

// Used for one plan and thrown away. Collaborators outlive it.
class Executor {
  public:
    Executor(Objects& objects, const Runtimes& runtimes, const crds::Workspace& workspace,
             const Observed& observed, Instant now)
        : objects_(objects),
          runtimes_(runtimes),
          workspace_(workspace),
          observed_(observed),
          now_(now) {}

    // Stops at the first failure. `finalizer` is what Release takes off.
    Result<void> execute(const Plan& plan, std::string_view finalizer);

  private:
    Result<void> act(const CreateInstall& action);
    Result<void> act(const DeleteInstall& action);
    Result<void> act(const FindImage& action);
    Result<void> act(const ReadFiles& action);
    Result<void> act(const EnsureNetwork& action);
    Result<void> act(const EnsureVolume& action);
    Result<void> act(const PrepareFolder& action);
    Result<void> act(const RemoveFiles& action);
    Result<void> act(const Stop& action);
    Result<void> act(const RemoveUnit& action);
    Result<void> act(const Create& action);
    Result<void> act(const WriteFiles& action);
    Result<void> act(const Start& action);
    Result<void> act(const RemoveVolume& action);
    Result<void> act(const KeepVolumes& action);
    Result<void> act(const DestroyFolder& action);
    Result<void> act(const RemoveNetwork& action);
    Result<void> act(const LeaveChildren& action);
    Result<void> act(const Release& action);

    crds::DeletedWorkspaceSpec remains(const KeepVolumes& action, bool has_env) const;
    Result<std::optional<crds::Secret>> own_env() const;
    Result<drivers::Runtime*> runtime(const std::string& backend) const;
    Result<drivers::Runtime*> runtime() const { return runtime(observed_.backend); }

    Objects& objects_;
    const Runtimes& runtimes_;
    const crds::Workspace& workspace_;
    const Observed& observed_;
    const Instant now_;
    std::string_view finalizer_;
    drivers::Tree files_;  // from ReadFiles on
    std::string unit_id_;  // from Create on
};

}  // namespace atelier::reconcilers::workspace
