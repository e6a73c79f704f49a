#include "reconcilers/plugin_update/plan.h"

#include <fmt/format.h>

#include "base/text.h"

namespace atelier::reconcilers::plugin_update {
namespace {

using crds::ConditionStatus;
using crds::Decision;
using crds::EventType;
using crds::PluginUpdate;
using crds::PluginUpdateStatus;
using crds::PluginVersion;
using crds::UpdatePhase;

std::string short_id(const PluginVersion& version) {
    return (version.commit.empty() ? version.digest : version.commit).substr(0, 7);
}

// "a, b, c and 4 more"
std::string list_of(const std::vector<std::string>& names) {
    constexpr std::size_t most = 3;
    if (names.size() <= most) return join(names, ", ");
    const std::vector<std::string> first(names.begin(), names.begin() + most);
    return fmt::format("{} and {} more", join(first, ", "), names.size() - most);
}

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
        status.observed_generation = update_.meta.generation;
        status.last_handled_reconcile_at =
            update_.meta.annotation(crds::annotation::reconcile_requested_at);
        if (!status.first_seen) status.first_seen = update_.meta.created_at.value_or(now_);
        if (observed_.comparison) take_comparison(*observed_.comparison);
        rollout_ = roll_out(observed_.members, target(), observed_.tiers);
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
                advance();
                break;
        }
        return std::move(plan_);
    }

  private:
    void set(std::string_view type, ConditionStatus value, std::string_view reason,
             std::string_view message) {
        plan_.status.set({std::string(type), value, std::string(reason), std::string(message), now_,
                          plan_.status.observed_generation},
                         now_);
    }
    void note(EventType type, std::string_view reason, std::string message) {
        plan_.notes.push_back({type, std::string(reason), std::move(message)});
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

    void end(UpdatePhase phase, std::string_view reason, const std::string& message) {
        const bool failed = phase == UpdatePhase::failed;
        plan_.status.phase = phase;
        plan_.status.completed_at = now_;
        plan_.status.clear(crds::condition::reconciling);
        set(crds::condition::ready, failed ? ConditionStatus::no : ConditionStatus::yes, reason,
            message);
        if (failed) set(crds::condition::stalled, ConditionStatus::yes, reason, message);
        note(failed ? EventType::warning : EventType::normal, reason, message);
    }

    void wait_for_decision() {
        const auto& plugin = observed_.plugin;
        const std::string& to = update_.spec.to.digest;
        if (plugin && plugin->status.latest && plugin->status.latest->digest != to) {
            return end(UpdatePhase::superseded, "Superseded",
                       fmt::format("upstream moved on to {} before a decision about {}",
                                   short_id(*plugin->status.latest), short_id(update_.spec.to)));
        }
        if (plugin && plugin->status.approved && plugin->status.approved->digest == to) {
            return end(
                UpdatePhase::superseded, "Superseded",
                fmt::format("{} is the approved version already", short_id(update_.spec.to)));
        }
        plan_.status.phase = UpdatePhase::pending;
        const std::string alarm = update_.spec.alarm.empty() ? "" : update_.spec.alarm + ": ";
        set(crds::condition::ready, ConditionStatus::no, "AwaitingDecision",
            fmt::format("{}{} waits for: atelier approve {} (or dismiss)", alarm, step(),
                        update_.meta.name));
    }

    void dismiss() {
        end(UpdatePhase::dismissed, "Dismissed",
            fmt::format("{} stays away until upstream moves again{}", short_id(update_.spec.to),
                        by_whom()));
    }

    std::string by_whom() const {
        std::string text;
        if (!update_.spec.decided_by.empty()) text += "; decided by " + update_.spec.decided_by;
        if (!update_.spec.reason.empty()) text += ": " + update_.spec.reason;
        return text;
    }

    void advance() {
        PluginUpdateStatus& status = plan_.status;
        if (status.phase == UpdatePhase::pending) {
            status.phase = UpdatePhase::approved;
            note(EventType::normal, "UpdateApproved", step() + by_whom());
        }
        if (status.change_class.empty()) {
            return progress("WaitingForPlugin",
                            fmt::format("the files of {} or {} are not here: Plugin {} must fetch "
                                        "them",
                                        short_id(update_.spec.from), short_id(update_.spec.to),
                                        update_.spec.plugin));
        }
        if (rollout_.failed) return fail(*rollout_.failed);
        if (rollout_.tier.empty()) {
            return end(
                UpdatePhase::applied, "Applied",
                fmt::format("{} is in {} installs", short_id(update_.spec.to), rollout_.total));
        }
        status.phase = UpdatePhase::rolling_out;
        plan_.moves = rollout_.moves;
        if (!rollout_.moves.empty()) {
            note(EventType::normal, "RollingOut",
                 fmt::format("tier {}: {} to {}", rollout_.tier, short_id(update_.spec.to),
                             list_of(rollout_.moves)));
        }
        std::string message = fmt::format("tier {}: {} of {} installs are done", rollout_.tier,
                                          rollout_.done, rollout_.total);
        if (!rollout_.waits.empty()) message += "; waits for " + list_of(rollout_.waits);
        progress("RollingOut", message);
    }

    void progress(std::string_view reason, const std::string& message) {
        set(crds::condition::ready, ConditionStatus::no, reason, message);
        set(crds::condition::reconciling, ConditionStatus::yes, reason, message);
    }

    void fail(const Member& member) {
        const crds::Condition* stalled = member.install.status.find(crds::condition::stalled);
        end(UpdatePhase::failed, "InstallFailed",
            fmt::format(
                "{} cannot get {}: {}; all others stay as they are. Push a version that can "
                "be installed, and approve that",
                member.install.meta.name, short_id(update_.spec.to),
                stalled ? stalled->message : "it says no more"));
    }

    // An install made while the update was on its way may have been given the version before it.
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

bool has_ended(UpdatePhase phase) {
    switch (phase) {
        case UpdatePhase::pending:
        case UpdatePhase::approved:
        case UpdatePhase::rolling_out:
            return false;
        default:
            return true;
    }
}

Plan plan(const PluginUpdate& update, const Observed& observed, Instant now) {
    return Planner(update, observed, now).make();
}

}  // namespace atelier::reconcilers::plugin_update
