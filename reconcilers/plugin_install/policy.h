// Whether PluginPolicies let an org have a plugin.
#pragma once

#include <string>

#include "reconcilers/common/objects.h"

namespace atelier::reconcilers {

// The name of a PluginPolicy of the namespace that keeps the plugin from workspaces of that org;
// empty: none does. A policy that lists nothing allows all; of several for one org, all must allow.
Result<std::string> policy_that_denies(const Objects& objects, const std::string& ns,
                                       const std::string& plugin, const std::string& org);

}  // namespace atelier::reconcilers
