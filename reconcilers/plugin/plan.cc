#include "reconcilers/plugin/plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "crds/conditions.h"
#include "crds/plugin_conditions.h"
#include "crds/plugin_source.h"
#include "crds/plugin_update_conditions.h"
#include "reconcilers/common/status.h"
#include "reconcilers/common/text.h"
#include "reconcilers/plugin/source.h"

namespace atelier::reconcilers::plugin {
namespace {

namespace condition = crds::plugin::condition;
namespace reason = crds::plugin::reason;

using crds::ConditionStatus;
using crds::Plugin;
using crds::PluginStatus;
using crds::PluginUpdate;
using crds::PluginVersion;
using crds::UpdatePhase;

constexpr Duration shortest_interval = std::chrono::seconds(1);

Duration interval_of(const Plugin& plugin) {
    return std::max<Duration>(plugin.spec.interval, shortest_interval);
}

// Whether upstream may move without a change of the spec.
bool is_polled(const Plugin& plugin) {
    const auto track = crds::parse_track(plugin.spec.track);
    return track && track->kind != crds::Track::Kind::none &&
           track->kind != crds::Track::Kind::commit;
}

bool failed_before(const Plugin& plugin) {
    for (const std::string_view type : {condition::source_ready, condition::verified}) {
        const crds::Condition* found = plugin.status.find(type);
        if (found && found->status == ConditionStatus::no) return true;
    }
    return false;
}

std::string_view reason_of(const Check::Failure& failure) {
    const Code code = failure.error.code;
    if (failure.stage == Check::Failure::Stage::spec) return reason::invalid_spec;
    if (failure.stage == Check::Failure::Stage::content) {
        return code == Code::forbidden ? reason::integrity_mismatch : reason::unsafe_content;
    }
    return reason_of_source(code);
}

// When an update ended; the decision where that alone ended it.
std::optional<Instant> ended_at(const PluginUpdate& update) {
    return update.status.completed_at ? update.status.completed_at : update.status.decided_at;
}

// Writes one Plugin's next status.
class Planner {
  public:
    Planner(const Plugin& plugin, const Observed& observed,
            const std::optional<PluginContent>& content, Instant now)
        : plugin_(plugin), observed_(observed), content_(content), now_(now) {
        plan_.status = begun(plugin);
    }

    Plan make() {
        PluginStatus& status = plan_.status;
        status.installs = observed_.installs;
        take_approved();
        if (plugin_.spec.suspend) {
            set(crds::condition::suspended, ConditionStatus::yes, crds::reason::suspended,
                "spec.suspend is true: upstream is not checked");
            status.clear(crds::condition::reconciling);
            status.clear(crds::condition::stalled);
        } else {
            status.clear(crds::condition::suspended);
        }
        if (observed_.check) take_check(*observed_.check);
        if (status.is_true(crds::condition::ready)) set_ready();
        take_updates();
        if (!plugin_.spec.suspend) set_wake();
        return std::move(plan_);
    }

  private:
    void set(std::string_view type, ConditionStatus value, std::string_view why,
             std::string_view message) {
        set_condition(plan_.status, type, value, why, message, now_);
    }

    void record(crds::EventType type, std::string_view why, std::string message) {
        plan_.events.push_back({type, std::string(why), std::move(message)});
    }

    void take_approved() {
        const Approved approved = approved_now(plugin_, observed_, now_);
        PluginStatus& status = plan_.status;
        if (approved.version && !status.approved) {
            record(
                crds::EventType::normal, "FirstVersion",
                fmt::format("installs get version {}, the first that was found; nobody was asked",
                            short_id(*approved.version)));
        } else if (approved.version && status.approved != approved.version) {
            record(crds::EventType::normal, "Approved",
                   fmt::format("installs get version {}", short_id(*approved.version)));
        }
        status.approved = approved.version;
        status.approved_at = approved.since;
        if (!content_) return;
        status.version = content_->version;
        status.capabilities = content_->capabilities;
        if (content_->warnings.empty()) {
            status.clear(condition::manifest_invalid);
        } else {
            set(condition::manifest_invalid, ConditionStatus::yes, reason::malformed_manifest,
                content_->warnings.front());
        }
    }

    void set_ready() {
        const auto& approved = plan_.status.approved;
        if (!approved) return;
        set(crds::condition::ready, ConditionStatus::yes, reason::resolved,
            fmt::format("installs get version {}", short_id(*approved)));
    }

    void take_check(const Check& check) {
        PluginStatus& status = plan_.status;
        if (check.failure) return take_failure(*check.failure);
        status.last_check_time = now_;
        if (check.latest) {
            if (!status.latest || status.latest->digest != check.latest->digest) {
                status.latest_first_seen = now_;
            }
            status.latest = check.latest;
        }
        const bool was_failing = failed_before(plugin_);
        set(condition::source_ready, ConditionStatus::yes, crds::reason::fetched,
            "the source was read");
        set(condition::verified, ConditionStatus::yes, reason::verified,
            "names, links and declared digests of the content were checked; what it does was not");
        set_ready();
        status.clear(crds::condition::reconciling);
        status.clear(crds::condition::stalled);
        if (was_failing)
            record(crds::EventType::normal, "SourceReady", "the source can be read again");
    }

    void take_failure(const Check::Failure& failure) {
        PluginStatus& status = plan_.status;
        const std::string_view why = reason_of(failure);
        std::string message = failure.error.message;
        const bool content = failure.stage == Check::Failure::Stage::content;
        set(content ? condition::verified : condition::source_ready, ConditionStatus::no, why,
            message);
        if (content) {
            set(condition::source_ready, ConditionStatus::yes, crds::reason::fetched,
                "the source was read");
        }
        if (status.approved) {
            message +=
                fmt::format("; the approved version {} stays in use", short_id(*status.approved));
        }
        const crds::Condition* before = plugin_.status.find(crds::condition::ready);
        if (!before || before->reason != why || before->message != message) {
            record(crds::EventType::warning, why, message);
        }
        set(crds::condition::ready, ConditionStatus::no, why, message);
        if (failure.stage != Check::Failure::Stage::spec &&
            retry_of(failure.error.code) == Retry::soon) {
            set(crds::condition::reconciling, ConditionStatus::yes, "Retrying", message);
            status.clear(crds::condition::stalled);
            plan_.retry = failure.error;
        } else {
            status.last_check_time = now_;
            set(crds::condition::stalled, ConditionStatus::yes, why, message);
            status.clear(crds::condition::reconciling);
        }
    }

    // Drift, and the one update that may be open about it.
    void take_updates() {
        PluginStatus& status = plan_.status;
        const auto open =
            std::find_if(observed_.updates.begin(), observed_.updates.end(), crds::is_open);
        status.pending_update = open == observed_.updates.end() ? "" : open->meta.name;
        const bool drift =
            status.approved && status.latest && status.approved->digest != status.latest->digest;
        if (!drift) {
            status.clear(condition::tag_moved);
            if (status.approved && status.latest) {
                set(condition::update_available, ConditionStatus::no, reason::up_to_date,
                    "the approved version is what upstream has");
            }
            return;
        }
        const bool moved = set_tag_moved();
        if (status.pending_update.empty() && !plugin_.spec.suspend && !is_declined()) {
            create(moved);
        }
        set_update_available();
    }

    // A tag that is tracked by name is not supposed to move.
    bool set_tag_moved() {
        PluginStatus& status = plan_.status;
        const auto track = crds::parse_track(plugin_.spec.track);
        const bool moved = track && track->kind == crds::Track::Kind::tag &&
                           status.latest->ref == track->name && status.approved->ref == track->name;
        if (!moved) {
            status.clear(condition::tag_moved);
            return false;
        }
        const std::string message = fmt::format(
            "the tag {} was moved from {} to {}: find out who did it and why, before "
            "anything of it is approved",
            track->name, short_id(*status.approved), short_id(*status.latest));
        const crds::Condition* before = plugin_.status.find(condition::tag_moved);
        if (!before || before->message != message) {
            record(crds::EventType::warning, "TagMoved", message);
        }
        set(condition::tag_moved, ConditionStatus::yes, reason::tag_moved, message);
        return true;
    }

    // The target was dismissed, or it failed, and upstream has not moved since.
    const PluginUpdate* declined() const {
        for (const PluginUpdate& update : observed_.updates) {
            const UpdatePhase phase = update.status.phase;
            if (phase != UpdatePhase::dismissed && phase != UpdatePhase::failed) continue;
            if (update.spec.to.digest != plan_.status.latest->digest) continue;
            const auto at = ended_at(update);
            if (at && plan_.status.latest_first_seen && *at < *plan_.status.latest_first_seen) {
                continue;
            }
            return &update;
        }
        return nullptr;
    }
    bool is_declined() const { return declined() != nullptr; }

    void create(bool moved) {
        const PluginStatus& status = plan_.status;
        NewUpdate update;
        const std::string base = fmt::format("{}-{}", plugin_.meta.name, short_id(*status.latest));
        update.name = base;
        for (int n = 2; is_taken(update.name); ++n) update.name = fmt::format("{}-{}", base, n);
        update.spec.plugin = plugin_.meta.name;
        update.spec.from = *status.approved;
        update.spec.to = *status.latest;
        if (moved) update.spec.alarm = "TagMoved";
        record(moved ? crds::EventType::warning : crds::EventType::normal, "UpdateAvailable",
               fmt::format("upstream moved from {} to {}: PluginUpdate {} waits for a decision",
                           short_id(*status.approved), short_id(*status.latest), update.name));
        plan_.status.pending_update = update.name;
        plan_.create = std::move(update);
    }

    bool is_taken(const std::string& name) const {
        return std::any_of(observed_.updates.begin(), observed_.updates.end(),
                           [&](const PluginUpdate& update) { return update.meta.name == name; });
    }

    void set_update_available() {
        const PluginStatus& status = plan_.status;
        const std::string step =
            fmt::format("{} to {}", short_id(*status.approved), short_id(*status.latest));
        if (!status.pending_update.empty()) {
            set(condition::update_available, ConditionStatus::yes, reason::update_open,
                fmt::format("{}: see PluginUpdate {}", step, status.pending_update));
        } else if (const PluginUpdate* update = declined()) {
            const bool dismissed = update->status.phase == UpdatePhase::dismissed;
            set(condition::update_available, ConditionStatus::no,
                dismissed ? reason::dismissed : reason::update_failed,
                fmt::format(
                    "{}: PluginUpdate {} {}; no other update is opened until upstream moves", step,
                    update->meta.name, dismissed ? "was dismissed" : "failed"));
        } else {
            set(condition::update_available, ConditionStatus::yes, crds::reason::suspended, step);
        }
    }

    void set_wake() {
        const PluginStatus& status = plan_.status;
        if (plan_.retry || !status.last_check_time) return;
        const bool again = is_polled(plugin_) || !status.approved;
        const bool wrong_spec = observed_.check && observed_.check->failure &&
                                observed_.check->failure->stage == Check::Failure::Stage::spec;
        if (again && !wrong_spec) plan_.wake_at = *status.last_check_time + interval_of(plugin_);
    }

    const Plugin& plugin_;
    const Observed& observed_;
    const std::optional<PluginContent>& content_;
    const Instant now_;
    Plan plan_;
};

}  // namespace

bool is_due(const Plugin& plugin, Instant now) {
    if (plugin.spec.suspend) return false;
    const PluginStatus& status = plugin.status;
    if (!status.last_check_time || status.observed_generation != plugin.meta.generation)
        return true;
    if (status.last_handled_reconcile_at !=
        plugin.meta.annotation(crds::annotation::reconcile_requested_at)) {
        return true;
    }
    // Whatever woke us may have mended it: a Secret, for one.
    if (failed_before(plugin)) return true;
    if (!is_polled(plugin) && status.approved) return false;
    return now >= *status.last_check_time + interval_of(plugin);
}

Approved approved_now(const Plugin& plugin, const Observed& observed, Instant now) {
    Approved out{plugin.status.approved, plugin.status.approved_at};
    if (!out.version) {
        if (observed.check && observed.check->first) return {observed.check->first, now};
        return out;
    }
    // The updates that were applied since, in their order. Times have whole seconds: of the same
    // second only one that begins where we are.
    std::vector<const PluginUpdate*> applied;
    for (const PluginUpdate& update : observed.updates) {
        if (update.status.phase == UpdatePhase::applied && update.status.completed_at) {
            applied.push_back(&update);
        }
    }
    std::stable_sort(applied.begin(), applied.end(), [](const auto* a, const auto* b) {
        return *a->status.completed_at < *b->status.completed_at;
    });
    for (const PluginUpdate* update : applied) {
        const Instant at = *update->status.completed_at;
        const bool later = !out.since || at > *out.since;
        const bool next = at == *out.since && update->spec.from.digest == out.version->digest;
        if (later || next) out = {update->spec.to, at};
    }
    return out;
}

Plan plan(const Plugin& plugin, const Observed& observed,
          const std::optional<PluginContent>& content, Instant now) {
    return Planner(plugin, observed, content, now).make();
}

}  // namespace atelier::reconcilers::plugin
