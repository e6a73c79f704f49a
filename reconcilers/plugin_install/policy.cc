#include "reconcilers/plugin_install/policy.h"

#include <algorithm>

#include "crds/plugin_policy.h"

namespace atelier::reconcilers {

Result<std::string> policy_that_denies(const Objects& objects, const std::string& ns,
                                       const std::string& plugin, const std::string& org) {
    for (const auto& policy : TRY(objects.list<crds::PluginPolicy>(ns))) {
        if (!policy.spec.org.empty() && policy.spec.org != org) continue;
        const auto& allowed = policy.spec.allowed;
        if (allowed.empty()) continue;
        if (std::find(allowed.begin(), allowed.end(), plugin) == allowed.end()) {
            return policy.meta.name;
        }
    }
    return std::string();
}

}  // namespace atelier::reconcilers
