#include "reconcilers/plugin_policy/reconciler.h"

#include <fmt/format.h>

#include <algorithm>

#include "crds/plugin_install.h"
#include "crds/plugin_policy_conditions.h"
#include "crds/workspace.h"
#include "reconcilers/common/status.h"

namespace atelier::reconcilers {

std::vector<Interest> PluginPolicyReconciler::interests() const {
    return {{std::string(crds::PluginInstallSpec::resource),
             [](const store::Event& event, const store::Store& store) {
                 std::vector<Key> keys;
                 if (event.change == store::Change::modified) return keys;
                 const auto policies = store.list(crds::PluginPolicySpec::resource);
                 for (const auto& policy : policies->objects) {
                     if (policy->key.ns == event.object->key.ns) keys.push_back(policy->key);
                 }
                 return keys;
             }}};
}

Result<Outcome> PluginPolicyReconciler::reconcile(const Key& key, Instant now) {
    const auto policy = TRY(objects_.find<crds::PluginPolicy>(key.ns, key.name));
    if (!policy) return Outcome{};
    if (policy->being_deleted()) {
        TRY(objects_.report(*policy, terminating_status(*policy, now), now));
        return Outcome{};
    }
    const auto& allowed = policy->spec.allowed;
    std::int64_t denied = 0;
    for (const auto& install : TRY(objects_.list<crds::PluginInstall>(key.ns))) {
        if (allowed.empty() ||
            std::find(allowed.begin(), allowed.end(), install.spec.plugin) != allowed.end()) {
            continue;
        }
        const auto workspace = TRY(objects_.find<crds::Workspace>(key.ns, install.spec.workspace));
        const bool concerned =
            workspace && (policy->spec.org.empty() || workspace->spec.org == policy->spec.org);
        if (concerned) ++denied;
    }
    auto status = begun(*policy);
    status.denied = denied;
    set_condition(status, crds::condition::ready, crds::ConditionStatus::yes,
                  allowed.empty() ? crds::plugin_policy::reason::allows_all
                                  : crds::plugin_policy::reason::enforced,
                  fmt::format("{} installs are refused", denied), now);
    TRY(objects_.report(*policy, status, now));
    return Outcome{};
}

}  // namespace atelier::reconcilers
