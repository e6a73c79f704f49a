// What happens to one workspace: its spec and its environment as they are against as they would be,
// in the words of the Workspace reconciler (workspace/unit.h, workspace/plan.h). Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "crds/workspace.h"
#include "reconcilers/preview/forecast.h"
#include "reconcilers/workspace/plan.h"

namespace atelier::reconcilers::preview {

// A workspace and what its reconciler sees of it, in one of the two worlds.
struct Side {
    crds::Workspace workspace;
    workspace::Seen seen;
    std::map<std::string, std::string> denied;  // of its plugins, by which PluginPolicy
};

// A plugin of the workspace that gets another version without anybody changing the workspace.
struct PluginChange {
    std::string plugin;
    crds::ChangeClass change = crds::ChangeClass::cold;
};

struct Judged {
    Item item;
    std::vector<Blocker> blockers;
};

// `before` absent: it is made. `after` absent: it goes. `key`: of the fingerprints.
Judged judge(const std::optional<Side>& before, const std::optional<Side>& after,
             const std::vector<PluginChange>& plugins, const std::string& key, Instant now);

// "TOKEN changed (1a2b3c4d -> 5e6f7a8b)", "NEW added (…)", "OLD removed": values by fingerprint.
std::vector<std::string> differences(const std::map<std::string, std::string>& before,
                                     const std::map<std::string, std::string>& after,
                                     const std::string& key);
// The members of `spec` in which two objects differ.
std::vector<std::string> changed_members(const json::Value& before, const json::Value& after);

}  // namespace atelier::reconcilers::preview
