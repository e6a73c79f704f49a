// OrgTemplate: fetches the source, compiles it, and publishes the result. The artifact (tree.json)
// and the files of each node go to the tree store, the values of `.env` files to a Secret that the
// OrgTemplate owns, and everything else to the status. While the source cannot be fetched or does
// not compile, the last good artifact stays in place.
#pragma once

#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <string>

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
    // `revision_key`: of key_of_revisions(). Collaborators outlive it.
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
    // The last read of a template's source, and what the template depended on then.
    struct LastRead {
        Instant at;
        Instant due;  // the next one
        std::string inputs;
    };
    // Until when nothing needs to be done: the source was read, its interval is not over, and no
    // input has changed. nullopt: read it now.
    std::optional<Instant> resting_until(const crds::OrgTemplate& object, const std::string& inputs,
                                         Instant now);
    void remember(const Key& key, std::optional<LastRead> read);
    Result<std::string> inputs_of(const crds::OrgTemplate& object) const;
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
    std::mutex mutex_;
    std::map<Key, LastRead> reads_;  // guarded by mutex_; of templates that exist
};

}  // namespace atelier::reconcilers
