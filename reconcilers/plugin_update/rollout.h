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
    done,     // has it, and was Ready for long enough since its restart; or nothing is to be waited
              // for, as where a workspace does not run
    refused,  // cannot receive any version: its workspace is external, or a policy denies it
    failed    // was given the new version, and it cannot be delivered
};
// `min_ready`: see UpdateTierSpec::min_ready_seconds.
Progress progress_of(const Member& member, const std::string& to, Duration min_ready, Instant now);

struct Rollout {
    std::int64_t total = 0;  // without those that are refused
    std::int64_t done = 0;
    std::vector<std::string> refused;  // workspaces that cannot receive it
    std::string tier;                  // the tier at work; empty: all are done
    std::vector<std::string> moves;    // installs that get the version now
    std::vector<std::string> waits;    // workspaces that are waited for
    const Member* failed = nullptr;    // one to which the version cannot be delivered
    const Member* broken = nullptr;    // one that has the version and does not stay up
    std::optional<Instant> wake_at;    // when the next one has been Ready for long enough
};

// Tiers go in order; those that no UpdateTier describes have the order 0 if called "canary" and 100
// else, and one workspace at a time. Hot: all of a tier at once. Cold: so many that never more than
// maxUnavailable of its workspaces are away. `members` outlives the result.
Rollout roll_out(const std::vector<Member>& members, const Target& target,
                 const std::map<std::string, crds::UpdateTierSpec>& tiers, Instant now);

}  // namespace atelier::reconcilers::plugin_update
