// OrgTemplate: fetch, compile, publish. The artifact (tree.json) and the files of each node go to
// the tree store, values of `.env` files to a Secret that the OrgTemplate owns, the rest to status.
// A source that fails, or does not compile, leaves the last good artifact in place.
#pragma once

#include <filesystem>

#include "crds/org_template.h"
#include "drivers/git/git.h"
#include "drivers/trees/tree.h"
#include "reconcilers/common/objects.h"
#include "reconcilers/org_template/plan.h"
#include "reconcilers/org_template/source.h"
#include "reconcilers/reconciler.h"

namespace atelier::reconcilers {

class OrgTemplateReconciler final : public Reconciler {
  public:
    // `templates_root`: the folder that `source.directory` is below; empty: there is none.
    // `revision_key`: see key_of_revisions. Collaborators outlive it.
    OrgTemplateReconciler(Objects& objects, drivers::Git& git, drivers::TreeStore& trees,
                          std::filesystem::path templates_root, ExternalOptions external = {},
                          std::string revision_key = {})
        : objects_(objects),
          git_(git),
          trees_(trees),
          templates_root_(std::move(templates_root)),
          external_(std::move(external)),
          revision_key_(std::move(revision_key)) {}

    std::string_view resource() const override { return crds::OrgTemplateSpec::resource; }
    std::string_view name() const override { return "orgtemplate"; }
    std::vector<Interest> interests() const override;
    Result<Outcome> reconcile(const Key& key, Instant now) override;

  private:
    Result<org_template::Observed> observe(const crds::OrgTemplate& object) const;
    Result<void> execute(const org_template::Observed& observed,
                         const std::vector<org_template::Action>& actions, Instant now);
    Result<void> report(const crds::OrgTemplate& object, crds::OrgTemplateStatus next, Instant now);

    Objects& objects_;
    drivers::Git& git_;
    drivers::TreeStore& trees_;
    std::filesystem::path templates_root_;
    ExternalOptions external_;
    const std::string revision_key_;
};

}  // namespace atelier::reconcilers
