#include "reconcilers/plugin_update/rollout.h"

#include <algorithm>

#include "crds/plugin_install_conditions.h"
#include "crds/workspace_conditions.h"

namespace atelier::reconcilers::plugin_update {
namespace {

using crds::ChangeClass;
using crds::ConditionStatus;

constexpr std::int64_t default_order = 100;
constexpr std::string_view default_tier = "production";
constexpr std::string_view canary = "canary";
constexpr std::int64_t min_ready_of_canary = 30;  // seconds
constexpr std::int64_t min_ready_of_others = 10;

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
    spec.order = tier == canary ? 0 : default_order;
    if (it != tiers.end()) spec = it->second;
    spec.max_unavailable = std::max<std::int64_t>(spec.max_unavailable, 1);
    if (!spec.min_ready_seconds) {
        spec.min_ready_seconds = tier == canary ? min_ready_of_canary : min_ready_of_others;
    }
    return spec;
}

// When it will have been Ready for long enough since its restart. nullopt: it had nothing to
// restart for, or does not restart because nobody runs it.
std::optional<Instant> settled_at(const Member& member, Duration min_ready) {
    const crds::PluginInstallStatus& status = member.install.status;
    if (!member.workspace || status.last_change != ChangeClass::cold) return std::nullopt;
    const auto& started = member.workspace->status.started_at;
    const crds::Condition* ready = member.workspace->status.find(crds::condition::ready);
    if (!started || !ready || !ready->last_transition_time) return std::nullopt;
    return std::max(*started, *ready->last_transition_time) + min_ready;
}

// It has the version, was started with it, and does not stay up.
bool is_broken(const Member& member, const std::string& to) {
    if (member.install.spec.version.digest != to || member.install.status.delivered != to) {
        return false;
    }
    if (!member.workspace || is_idle(member)) return false;
    const auto& started = member.workspace->status.started_at;
    const auto& delivered = member.install.status.delivered_at;
    if (!started || !delivered || *started < *delivered) return false;
    const crds::Condition* healthy =
        member.workspace->status.find(crds::workspace::condition::healthy);
    namespace reason = crds::workspace::reason;
    return healthy && healthy->status == ConditionStatus::no &&
           (healthy->reason == reason::crash_loop || healthy->reason == reason::out_of_memory ||
            healthy->reason == reason::unhealthy);
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

void count(const Member& member, Progress progress, const Target& target, Rollout& rollout) {
    if (progress == Progress::refused) {
        rollout.refused.push_back(member.install.spec.workspace);
        return;
    }
    ++rollout.total;
    if (progress == Progress::done) ++rollout.done;
    if (progress == Progress::failed && !rollout.failed) rollout.failed = &member;
    if (!rollout.broken && is_broken(member, target.to)) rollout.broken = &member;
}

void note_wake(std::optional<Instant> at, Instant now, Rollout& rollout) {
    if (!at || *at <= now) return;
    rollout.wake_at = rollout.wake_at ? std::min(*rollout.wake_at, *at) : *at;
}

}  // namespace

Progress progress_of(const Member& member, const std::string& to, Duration min_ready, Instant now) {
    namespace reason = crds::plugin_install::reason;
    const crds::PluginInstall& install = member.install;
    if (install.spec.version.digest != to) return Progress::waiting;
    const std::string why = terminal_reason(install);
    if (why == reason::unsupported || why == reason::denied || why == reason::duplicate) {
        return Progress::refused;
    }
    if (is_idle(member)) return Progress::done;
    if (why == reason::delivery_failed) return Progress::failed;
    if (install.status.desired != to || install.status.delivered != to) return Progress::moving;
    if (!is_loaded(member) || is_unavailable(member)) return Progress::moving;
    const auto settled = settled_at(member, min_ready);
    return settled && now < *settled ? Progress::moving : Progress::done;
}

Rollout roll_out(const std::vector<Member>& members, const Target& target,
                 const std::map<std::string, crds::UpdateTierSpec>& tiers, Instant now) {
    Rollout rollout;
    std::map<std::pair<std::int64_t, std::string>, std::vector<Standing>> by_tier;
    for (const Member& member : members) {
        if (member.install.being_deleted()) continue;
        const std::string tier = tier_of(member);
        const crds::UpdateTierSpec spec = spec_of(tier, tiers);
        const Duration min_ready = std::chrono::seconds(*spec.min_ready_seconds);
        const Progress progress = progress_of(member, target.to, min_ready, now);
        count(member, progress, target, rollout);
        if (progress == Progress::moving) {
            note_wake(settled_at(member, min_ready), now, rollout);
        }
        by_tier[{spec.order, tier}].push_back({&member, progress});
    }
    if (rollout.failed) return rollout;
    for (const auto& [rank, standings] : by_tier) {
        const bool done = std::all_of(standings.begin(), standings.end(), [](const Standing& s) {
            return s.progress == Progress::done || s.progress == Progress::refused;
        });
        if (done) continue;
        rollout.tier = rank.second;
        move_in_tier(standings, target, spec_of(rank.second, tiers).max_unavailable, rollout);
        for (const auto& [member, progress] : standings) {
            if (progress == Progress::moving) {
                rollout.waits.push_back(member->install.spec.workspace);
            }
        }
        break;
    }
    return rollout;
}

}  // namespace atelier::reconcilers::plugin_update
