#include "reconcilers/plugin_update/rollout.h"

#include <algorithm>

#include "crds/plugin_install_conditions.h"

namespace atelier::reconcilers::plugin_update {
namespace {

using crds::ChangeClass;
using crds::ConditionStatus;

constexpr std::int64_t default_order = 100;
constexpr std::string_view default_tier = "production";

bool is_expected_to_run(const crds::Workspace& workspace) {
    return !workspace.being_deleted() && !workspace.spec.suspend &&
           workspace.spec.desired_state == crds::DesiredState::running;
}

// Nothing can be waited for: the version waits there until somebody starts the workspace again.
bool is_idle(const Member& member) {
    return member.install.spec.suspend || !member.workspace ||
           !is_expected_to_run(*member.workspace);
}

bool is_unavailable(const Member& member) {
    return member.workspace && is_expected_to_run(*member.workspace) &&
           !member.workspace->status.is_true(crds::condition::ready);
}

// The agent has it loaded; or nobody reports, and what must restart has restarted since.
bool is_loaded(const Member& member) {
    const crds::PluginInstallStatus& status = member.install.status;
    const crds::Condition* effective = status.find(crds::plugin_install::condition::effective);
    if (effective && effective->status == ConditionStatus::yes) return true;
    if (effective && effective->status == ConditionStatus::no) return false;
    const ChangeClass change = status.last_change.value_or(ChangeClass::cold);
    if (change != ChangeClass::cold) return true;
    const auto& started = member.workspace->status.started_at;
    return started && status.delivered_at && *started >= *status.delivered_at;
}

// The reason of a failure that only another version or spec can end; empty when there is none.
std::string terminal_reason(const crds::PluginInstall& install) {
    if (install.status.observed_generation != install.meta.generation) return {};
    const crds::Condition* stalled = install.status.find(crds::condition::stalled);
    if (!stalled || stalled->status != ConditionStatus::yes) return {};
    return stalled->reason;
}

std::string tier_of(const Member& member) {
    if (!member.workspace || member.workspace->spec.update_tier.empty()) {
        return std::string(default_tier);
    }
    return member.workspace->spec.update_tier;
}

crds::UpdateTierSpec spec_of(const std::string& tier,
                             const std::map<std::string, crds::UpdateTierSpec>& tiers) {
    const auto it = tiers.find(tier);
    crds::UpdateTierSpec spec;
    spec.order = tier == "canary" ? 0 : default_order;
    if (it != tiers.end()) spec = it->second;
    spec.max_unavailable = std::max<std::int64_t>(spec.max_unavailable, 1);
    return spec;
}

// A member and how far it has come.
struct Standing {
    const Member* member;
    Progress progress;
};

// Adds the moves of the one tier that is at work.
void move_in_tier(const std::vector<Standing>& standings, const Target& target,
                  std::int64_t max_unavailable, Rollout& rollout) {
    std::vector<const Member*> candidates;
    std::int64_t in_flight = 0;
    std::int64_t away = 0;  // in flight, or not ready for another reason
    bool cold = target.cold;
    for (const auto& [member, progress] : standings) {
        if (progress == Progress::moving) ++in_flight;
        if (progress == Progress::moving || is_unavailable(*member)) ++away;
        if (progress != Progress::waiting) continue;
        candidates.push_back(member);
        // What such an install changes was not compared.
        if (member->install.spec.version.digest != target.from) cold = true;
    }
    // Those that are away already, or do not run, first: nobody misses them.
    std::stable_sort(candidates.begin(), candidates.end(), [](const Member* a, const Member* b) {
        const auto rank = [](const Member& m) { return is_idle(m) || is_unavailable(m) ? 0 : 1; };
        return rank(*a) < rank(*b);
    });
    for (const Member* member : candidates) {
        if (cold && !is_idle(*member)) {
            const bool away_already = is_unavailable(*member);
            if ((away_already ? in_flight : away) >= max_unavailable) continue;
            ++in_flight;
            if (!away_already) ++away;
        }
        rollout.moves.push_back(member->install.meta.name);
    }
}

}  // namespace

Progress progress_of(const Member& member, const std::string& to) {
    const crds::PluginInstall& install = member.install;
    if (install.spec.version.digest != to) return Progress::waiting;
    if (is_idle(member)) return Progress::done;
    const std::string reason = terminal_reason(install);
    if (reason == crds::plugin_install::reason::delivery_failed) return Progress::failed;
    // Refused for reasons that are not this version's: a policy, an agent that must pull by itself.
    if (!reason.empty() && reason != crds::plugin_install::reason::backend_missing)
        return Progress::done;
    if (install.status.desired != to || install.status.delivered != to) return Progress::moving;
    if (!is_loaded(member) || is_unavailable(member)) return Progress::moving;
    return Progress::done;
}

Rollout roll_out(const std::vector<Member>& members, const Target& target,
                 const std::map<std::string, crds::UpdateTierSpec>& tiers) {
    Rollout rollout;
    std::map<std::pair<std::int64_t, std::string>, std::vector<Standing>> by_tier;
    for (const Member& member : members) {
        if (member.install.being_deleted()) continue;
        const Progress progress = progress_of(member, target.to);
        ++rollout.total;
        if (progress == Progress::done) ++rollout.done;
        if (progress == Progress::failed && !rollout.failed) rollout.failed = &member;
        const std::string tier = tier_of(member);
        by_tier[{spec_of(tier, tiers).order, tier}].push_back({&member, progress});
    }
    if (rollout.failed) return rollout;
    for (const auto& [rank, standings] : by_tier) {
        const bool done = std::all_of(standings.begin(), standings.end(), [](const Standing& s) {
            return s.progress == Progress::done;
        });
        if (done) continue;
        rollout.tier = rank.second;
        move_in_tier(standings, target, spec_of(rank.second, tiers).max_unavailable, rollout);
        for (const auto& [member, progress] : standings) {
            if (progress == Progress::moving)
                rollout.waits.push_back(member->install.spec.workspace);
        }
        break;
    }
    return rollout;
}

}  // namespace atelier::reconcilers::plugin_update
