#include "reconcilers/plugin_update/plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "crds/plugin_update_conditions.h"
#include "crds/workspace_conditions.h"
#include "reconcilers/common/status.h"
#include "reconcilers/common/text.h"

namespace atelier::reconcilers::plugin_update {
namespace {

namespace reason = crds::plugin_update::reason;

using crds::ConditionStatus;
using crds::Decision;
using crds::EventType;
using crds::has_ended;
using crds::PluginUpdate;
using crds::PluginUpdateStatus;
using crds::PluginVersion;
using crds::UpdatePhase;

constexpr std::size_t most_named = 3;

// Writes one PluginUpdate's next status.
class Planner {
  public:
    Planner(const PluginUpdate& update, const Observed& observed, Instant now)
        : update_(update), observed_(observed), now_(now) {
        plan_.status = update.status;
    }

    Plan make() {
        PluginUpdateStatus& status = plan_.status;
        if (has_ended(status.phase)) {
            if (status.phase == UpdatePhase::applied) take_stragglers();
            return std::move(plan_);
        }
        status = begun(update_);
        if (!status.first_seen) status.first_seen = update_.meta.created_at.value_or(now_);
        if (observed_.comparison) take_comparison(*observed_.comparison);
        rollout_ = roll_out(observed_.members, target(), observed_.tiers, now_);
        const bool regressed = rollout_.broken && rollout_.done < status.updated;
        status.total = rollout_.total;
        status.updated = rollout_.done;
        status.progress = fmt::format("{}/{}", rollout_.done, rollout_.total);
        const Decision decision = update_.spec.decision;
        if (decision != Decision::none && !status.decided_at) status.decided_at = now_;
        switch (decision) {
            case Decision::none:
                wait_for_decision();
                break;
            case Decision::dismiss:
                dismiss();
                break;
            case Decision::approve:
                advance(regressed);
                plan_.wake_at = rollout_.wake_at;
                break;
        }
        return std::move(plan_);
    }

  private:
    void set(std::string_view type, ConditionStatus value, std::string_view why,
             std::string_view message) {
        set_condition(plan_.status, type, value, why, message, now_);
    }
    void record(EventType type, std::string_view why, std::string message) {
        plan_.events.push_back({type, std::string(why), std::move(message)});
    }
    Target target() const {
        return {update_.spec.from.digest, update_.spec.to.digest,
                plan_.status.change_class != json::name_of(crds::ChangeClass::hot)};
    }
    std::string step() const {
        return fmt::format("{} to {}", short_id(update_.spec.from), short_id(update_.spec.to));
    }

    void take_comparison(const Comparison& comparison) {
        // Two digests that differ only by what does not count: nothing has to restart for it.
        const bool cold = comparison.change == crds::ChangeClass::cold;
        plan_.status.change_class =
            json::name_of(cold ? crds::ChangeClass::cold : crds::ChangeClass::hot);
        plan_.status.capabilities = comparison.capabilities;
        plan_.status.changed_files = comparison.changed_files;
    }

    void end(UpdatePhase phase, std::string_view why, const std::string& message) {
        const bool failed = phase == UpdatePhase::failed;
        plan_.status.phase = phase;
        plan_.status.completed_at = now_;
        plan_.status.clear(crds::condition::reconciling);
        set(crds::condition::ready, failed ? ConditionStatus::no : ConditionStatus::yes, why,
            message);
        if (failed) set(crds::condition::stalled, ConditionStatus::yes, why, message);
        record(failed ? EventType::warning : EventType::normal, why, message);
    }

    void wait_for_decision() {
        const auto& plugin = observed_.plugin;
        const std::string& to = update_.spec.to.digest;
        if (plugin && plugin->status.latest && plugin->status.latest->digest != to) {
            return end(UpdatePhase::superseded, reason::superseded,
                       fmt::format("upstream moved on to {} before a decision about {}",
                                   short_id(*plugin->status.latest), short_id(update_.spec.to)));
        }
        if (plugin && plugin->status.approved && plugin->status.approved->digest == to) {
            return end(
                UpdatePhase::superseded, reason::superseded,
                fmt::format("{} is the approved version already", short_id(update_.spec.to)));
        }
        plan_.status.phase = UpdatePhase::pending;
        const std::string alarm = update_.spec.alarm.empty() ? "" : update_.spec.alarm + ": ";
        set(crds::condition::ready, ConditionStatus::no, reason::awaiting_decision,
            fmt::format("{}{} waits for: atelier approve {} (or dismiss)", alarm, step(),
                        update_.meta.name));
    }

    void dismiss() {
        end(UpdatePhase::dismissed, reason::dismissed,
            fmt::format("{} stays away until upstream moves again{}", short_id(update_.spec.to),
                        by_whom()));
    }

    std::string by_whom() const {
        std::string text;
        if (!update_.spec.decided_by.empty()) text += "; decided by " + update_.spec.decided_by;
        if (!update_.spec.reason.empty()) text += ": " + update_.spec.reason;
        return text;
    }

    // `regressed`: a workspace that had counted as updated does not stay up.
    void advance(bool regressed) {
        PluginUpdateStatus& status = plan_.status;
        if (status.phase == UpdatePhase::pending) {
            status.phase = UpdatePhase::approved;
            record(EventType::normal, "UpdateApproved", step() + by_whom());
        }
        if (status.change_class.empty()) {
            return progress(reason::waiting_for_plugin,
                            fmt::format("the files of {} or {} are not here: Plugin {} must fetch "
                                        "them",
                                        short_id(update_.spec.from), short_id(update_.spec.to),
                                        update_.spec.plugin));
        }
        if (rollout_.failed) return fail(*rollout_.failed);
        if (regressed) return fail_broken(*rollout_.broken);
        if (rollout_.tier.empty()) {
            return end(UpdatePhase::applied, reason::applied, applied_message());
        }
        status.phase = UpdatePhase::rolling_out;
        plan_.moves = rollout_.moves;
        if (!rollout_.moves.empty()) {
            record(EventType::normal, reason::rolling_out,
                   fmt::format("tier {}: {} to {}", rollout_.tier, short_id(update_.spec.to),
                               some_of(rollout_.moves, most_named)));
        }
        std::string message = fmt::format("tier {}: {} of {} installs are done", rollout_.tier,
                                          rollout_.done, rollout_.total);
        if (!rollout_.waits.empty())
            message += "; waits for " + some_of(rollout_.waits, most_named);
        progress(reason::rolling_out, message);
    }

    void progress(std::string_view why, const std::string& message) {
        set(crds::condition::ready, ConditionStatus::no, why, message);
        set(crds::condition::reconciling, ConditionStatus::yes, why, message);
    }

    void fail(const Member& member) {
        const crds::Condition* stalled = member.install.status.find(crds::condition::stalled);
        end(UpdatePhase::failed, reason::install_failed,
            fmt::format(
                "{} cannot get {}: {}; all others stay as they are. Push a version that can "
                "be installed, and approve that",
                member.install.meta.name, short_id(update_.spec.to),
                stalled ? stalled->message : "it says no more"));
    }

    void fail_broken(const Member& member) {
        const crds::Condition* healthy =
            member.workspace->status.find(crds::workspace::condition::healthy);
        end(UpdatePhase::failed, reason::update_broke,
            fmt::format("{} does not stay up with {}: {}; all others stay as they are. Push a "
                        "version that works, and approve that",
                        member.install.spec.workspace, short_id(update_.spec.to),
                        healthy ? healthy->message : "it is not healthy"));
    }

    std::string applied_message() const {
        std::int64_t later = 0;
        for (const Member& member : observed_.members) {
            const crds::PluginInstall& install = member.install;
            const bool counts =
                !install.being_deleted() && install.spec.version.digest == target().to;
            if (counts && install.status.delivered != target().to) ++later;
        }
        later -= std::min(later, static_cast<std::int64_t>(rollout_.refused.size()));
        std::string message =
            fmt::format("{} is in {} installs", short_id(update_.spec.to), rollout_.total - later);
        if (later > 0) message += fmt::format("; {} more get it when they can", later);
        if (!rollout_.refused.empty()) {
            message += "; it cannot be delivered to " + some_of(rollout_.refused, most_named);
        }
        return message;
    }

    // An install that was created during the rollout may have been given the version before it.
    void take_stragglers() {
        const auto& plugin = observed_.plugin;
        const auto& decided = update_.status.decided_at;
        if (!plugin || !plugin->status.approved || !decided ||
            plugin->status.approved->digest != update_.spec.to.digest) {
            return;
        }
        for (const Member& member : observed_.members) {
            const crds::PluginInstall& install = member.install;
            if (install.being_deleted()) continue;
            if (install.spec.version.digest != update_.spec.from.digest) continue;
            if (!install.meta.created_at || *install.meta.created_at < *decided) continue;
            plan_.moves.push_back(install.meta.name);
        }
    }

    const PluginUpdate& update_;
    const Observed& observed_;
    const Instant now_;
    Rollout rollout_;
    Plan plan_;
};

}  // namespace

Plan plan(const PluginUpdate& update, const Observed& observed, Instant now) {
    return Planner(update, observed, now).make();
}

}  // namespace atelier::reconcilers::plugin_update
