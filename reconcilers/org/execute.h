// Carries out the actions of a plan for an Org, and records an Event about each.
#pragma once

#include <string>

#include "reconcilers/common/objects.h"
#include "reconcilers/org/plan.h"

namespace atelier::reconcilers::org {

// The Org's finalizer: it stays until the workspaces of a deleted Org are gone.
inline constexpr std::string_view finalizer = "atelier.dev/org";

// Used by one thread, for the actions of one plan. Everything that it is made with outlives it.
class Executor {
  public:
    // `observed`: what the plan was made from.
    Executor(Objects& objects, const crds::Org& org, const Observed& observed, Instant now)
        : objects_(objects), org_(org), observed_(observed), now_(now) {}

    // One or two writes to the store, each with the revision that was observed. Errors:
    // Code::conflict when somebody else wrote meanwhile; what admission refuses (invalid,
    // forbidden, too_large); unavailable.
    Result<void> execute(const Action& action);

  private:
    Result<void> run(const PutEnv& action);
    Result<void> run(const CreateWorkspace& action);
    Result<void> run(const UpdateWorkspace& action);
    Result<void> run(const DeleteWorkspace& action);
    Result<void> run(const AdoptWorkspace& action);
    Result<void> run(const ReleaseWorkspace& action);
    Result<void> run(const RemoveEnv& action);
    Result<void> run(const ReleaseOrg& action);

    void record(std::string_view reason, const Action& action);
    Result<void> extend_kept(const std::string& name);
    Result<void> transfer_env(const crds::Meta& workspace, const crds::OwnerReference& to,
                              const std::string& from_uid);

    Objects& objects_;
    const crds::Org& org_;
    const Observed& observed_;
    const Instant now_;
};

}  // namespace atelier::reconcilers::org
