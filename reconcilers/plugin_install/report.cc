#include "reconcilers/plugin_install/report.h"

#include <algorithm>

namespace atelier::reconcilers::plugin_install {
namespace {

using crds::Condition;
using crds::ConditionStatus;
using crds::PluginInstall;
using crds::PluginInstallStatus;

constexpr std::string_view delivering = "Delivering";
constexpr Duration patience = std::chrono::minutes(2);

std::string short_digest(const std::string& digest) {
    return digest.empty() ? "nothing" : digest.substr(0, 7);
}

Condition delivered_condition(const PluginInstall& install, const Observed& observed,
                              const std::optional<Error>& failure) {
    Condition c{std::string(condition::delivered), ConditionStatus::no, "", ""};
    const std::string& digest = install.spec.version.digest;
    const auto say = [&](ConditionStatus status, std::string_view reason, std::string message) {
        c.status = status;
        c.reason = reason;
        c.message = std::move(message);
        return c;
    };
    switch (observed.place) {
        case Observed::Place::gone:
            return say(ConditionStatus::no, "WorkspaceNotFound",
                       "there is no workspace \"" + install.spec.workspace + "\", or it is going");
        case Observed::Place::external:
            return say(ConditionStatus::no, "Unsupported",
                       "the workspace is external: nothing can be pushed into it; its agent must "
                       "fetch the plugin, or install it by hand where it runs");
        case Observed::Place::no_backend:
            return say(ConditionStatus::no, "BackendMissing", observed.problem);
        case Observed::Place::unknown:
            return say(ConditionStatus::unknown, "RuntimeUnreachable", observed.problem);
        case Observed::Place::not_running:
            return say(ConditionStatus::no, "WaitingForUnit",
                       "plugins are carried into a running workspace, and it does not run");
        case Observed::Place::here:
            break;
    }
    if (!observed.denied_by.empty()) {
        return say(ConditionStatus::no, "Denied",
                   "PluginPolicy \"" + observed.denied_by + "\" does not allow this plugin");
    }
    if (digest.empty()) {
        return say(ConditionStatus::no, "NoVersion", "spec.version.digest is empty");
    }
    if (observed.state.delivered() == digest) {
        return say(ConditionStatus::yes, "Delivered",
                   "version " + short_digest(digest) + " is complete and verified");
    }
    if (failure) return say(ConditionStatus::no, "DeliveryFailed", failure->message);
    if (!observed.desired) {
        return say(ConditionStatus::no, "WaitingForPlugin",
                   "the files of version " + short_digest(digest) + " are not here: Plugin \"" +
                       install.spec.plugin + "\" must fetch them");
    }
    return say(ConditionStatus::no, delivering,
               "version " + short_digest(digest) + " is on its way");
}

Condition effective_condition(const Observed& observed, const std::string& delivered) {
    Condition c{std::string(condition::effective), ConditionStatus::unknown, "", ""};
    if (!observed.loaded) {
        c.reason = observed.agent_expected ? "NobodyReports" : "NotRunning";
        c.message = observed.agent_expected ? "no agent in the workspace reports what it has loaded"
                                            : "the workspace does not run";
    } else if (*observed.loaded == delivered) {
        c.status = ConditionStatus::yes;
        c.reason = "Loaded";
        c.message = "the agent has loaded " + short_digest(delivered);
    } else {
        c.status = ConditionStatus::no;
        c.reason = "NotLoaded";
        c.message = "the agent has loaded " + short_digest(*observed.loaded) + ", delivered is " +
                    short_digest(delivered);
    }
    return c;
}

// Failures that only another spec, policy or backend ends.
bool is_terminal(const std::string& reason, const std::optional<Error>& failure) {
    if (reason == "Denied" || reason == "Unsupported" || reason == "NoVersion" ||
        reason == "BackendMissing" || reason == "WorkspaceNotFound") {
        return true;
    }
    return reason == "DeliveryFailed" && failure &&
           (failure->code == Code::invalid || failure->code == Code::unsupported ||
            failure->code == Code::forbidden);
}

void set_summary(PluginInstallStatus& status, const Condition& delivered, bool suspended,
                 const std::optional<Error>& failure, Instant now) {
    const auto set = [&](std::string_view type, ConditionStatus value, const std::string& reason,
                         const std::string& message) {
        status.set(
            {std::string(type), value, reason, message, std::nullopt, status.observed_generation},
            now);
    };
    set(crds::condition::ready, delivered.status, delivered.reason, delivered.message);
    const bool stalled = is_terminal(delivered.reason, failure);
    if (stalled) {
        set(crds::condition::stalled, ConditionStatus::yes, delivered.reason, delivered.message);
    } else {
        status.clear(crds::condition::stalled);
    }
    if (delivered.status == ConditionStatus::yes || stalled || suspended) {
        status.clear(crds::condition::reconciling);
    } else {
        set(crds::condition::reconciling, ConditionStatus::yes, delivered.reason,
            delivered.message);
    }
    if (suspended) {
        set(crds::condition::suspended, ConditionStatus::yes, "Suspended", "spec.suspend is true");
    } else {
        status.clear(crds::condition::suspended);
    }
}

void set_notices(PluginInstallStatus& status, const PluginInstall& install,
                 const Observed& observed, Instant now) {
    const std::int64_t generation = status.observed_generation;
    if (observed.denied_by.empty()) {
        status.clear(condition::denied);
    } else {
        status.set({std::string(condition::denied), ConditionStatus::yes, "NotAllowed",
                    "PluginPolicy \"" + observed.denied_by + "\" does not list \"" +
                        install.spec.plugin + "\"",
                    std::nullopt, generation},
                   now);
    }
    if (observed.inert) {
        status.set({std::string(condition::inert), ConditionStatus::yes, "RuntimeNotSupported",
                    "the plugin does not name the runtime \"" + observed.runtime +
                        "\": its files are there, and may do nothing",
                    std::nullopt, generation},
                   now);
    } else {
        status.clear(condition::inert);
    }
}

}  // namespace

PluginInstallStatus report(const PluginInstall& install, const Observed& observed, const Plan& plan,
                           const std::optional<Error>& failure, Instant now) {
    PluginInstallStatus status = install.status;
    status.observed_generation = install.meta.generation;
    status.last_handled_reconcile_at =
        install.meta.annotation(crds::annotation::reconcile_requested_at);
    status.desired = install.spec.version.digest;
    if (!observed.delivery.empty()) status.delivery = observed.delivery;

    const bool looked = observed.place == Observed::Place::here;
    if (looked) {
        const std::string delivered = observed.state.delivered();
        if (delivered != status.delivered) {
            status.delivered_at = delivered.empty() ? std::nullopt : std::optional(now);
        }
        status.delivered = delivered;
        const bool as_desired = !delivered.empty() && delivered == status.desired;
        if (as_desired) {
            status.delivered_commit = install.spec.version.commit;
            if (plan.change) status.last_change = plan.change;
            if (plan.change == crds::ChangeClass::cold) status.restart_digest = delivered;
        } else if (delivered.empty()) {
            status.delivered_commit.clear();
        }
        // Taken away: the agent that had it loaded must start without it.
        if (!observed.denied_by.empty() && !observed.state.live) status.restart_digest.clear();
    }
    if (observed.place != Observed::Place::unknown) status.loaded = observed.loaded.value_or("");

    Condition delivered = delivered_condition(install, observed, failure);
    delivered.observed_generation = status.observed_generation;
    status.set(delivered, now);
    Condition effective = effective_condition(observed, status.delivered);
    effective.observed_generation = status.observed_generation;
    status.set(effective, now);
    set_notices(status, install, observed, now);
    set_summary(status, delivered, install.spec.suspend, failure, now);
    return status;
}

std::optional<Instant> next_look(const PluginInstall& install, const Observed& observed,
                                 const PluginInstallStatus& status, Instant now) {
    if (install.being_deleted() || install.spec.suspend) return std::nullopt;
    if (observed.place != Observed::Place::here) return std::nullopt;
    // Files that were lost come back without any event.
    const bool misses_files = !observed.desired && status.delivered != status.desired;
    if (misses_files && observed.denied_by.empty() && !status.desired.empty()) {
        return now + std::chrono::seconds(10);
    }
    if (!observed.agent_expected) return std::nullopt;
    if (status.delivered.empty() || observed.loaded == status.delivered) return std::nullopt;
    const Instant since =
        std::max(status.delivered_at.value_or(now),
                 observed.unit_started_at.value_or(status.delivered_at.value_or(now)));
    const Duration taken = now - since;
    if (taken >= patience) return now + std::chrono::minutes(1);
    return now +
           std::clamp<Duration>(taken / 4, std::chrono::milliseconds(250), std::chrono::seconds(5));
}

bool is_settled(const PluginInstall& install) {
    if (install.being_deleted()) return false;
    if (install.status.observed_generation != install.meta.generation) return false;
    if (install.spec.suspend) return true;
    const Condition* delivered = install.status.find(condition::delivered);
    if (!delivered || delivered->status == ConditionStatus::unknown) return false;
    return delivered->reason != delivering;
}

Result<std::string> loaded_digest(std::string_view agent_status, const std::string& plugin) {
    const json::Document document = TRY(json::parse(agent_status));
    const json::Value* plugins = json::find(document, {"plugins"});
    if (!plugins || !plugins->IsArray()) {
        return Error{Code::invalid, "what the agent reports has no list of plugins"};
    }
    for (const json::Value& entry : plugins->GetArray()) {
        if (json::string_at(entry, {"name"}) == plugin) return json::string_at(entry, {"digest"});
    }
    return std::string();
}

}  // namespace atelier::reconcilers::plugin_install
