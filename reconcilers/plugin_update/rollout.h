// How far an update has come, and which installs get it next. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "crds/plugin_install.h"
#include "crds/update_tier.h"
#include "crds/workspace.h"

namespace atelier::reconcilers::plugin_update {

// One install of the plugin, and its workspace if there is one.
struct Member {
    crds::PluginInstall install;
    std::optional<crds::Workspace> workspace;
};

struct Target {
    std::string from;  // digests
    std::string to;
    bool cold = true;
};

enum class Progress {
    waiting,  // still has another version
    moving,   // was given the new version, which is not delivered, loaded and ready yet
    done,     // has it; or there is nothing to wait for, as where a workspace does not run
    failed    // was given the new version, and it cannot be delivered
};
Progress progress_of(const Member& member, const std::string& to);

struct Rollout {
    std::int64_t total = 0;
    std::int64_t done = 0;
    std::string tier;                // the tier at work; empty: all are done
    std::vector<std::string> moves;  // installs that get the version now
    std::vector<std::string> waits;  // workspaces that are waited for
    const Member* failed = nullptr;  // one that failed
};

// Tiers go in order; those that no UpdateTier describes have the order 0 if called "canary" and 100
// else, and one workspace at a time. Hot: all of a tier at once. Cold: so many that never more than
// maxUnavailable of its workspaces are away. `members` outlives the result.
Rollout roll_out(const std::vector<Member>& members, const Target& target,
                 const std::map<std::string, crds::UpdateTierSpec>& tiers);

}  // namespace atelier::reconcilers::plugin_update
