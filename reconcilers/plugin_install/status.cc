#include "reconcilers/plugin_install/status.h"

#include <algorithm>
#include <array>

#include "crds/conditions.h"
#include "crds/plugin_install_conditions.h"
#include "reconcilers/common/status.h"
#include "reconcilers/common/text.h"

namespace atelier::reconcilers::plugin_install {
namespace {

namespace condition = crds::plugin_install::condition;
namespace reason = crds::plugin_install::reason;

using crds::ConditionStatus;
using crds::PluginInstall;
using crds::PluginInstallStatus;

constexpr Duration patience = std::chrono::minutes(2);
constexpr Duration longest_wait = std::chrono::minutes(30);

// Reasons that only another spec, policy or backend ends.
constexpr std::array terminal = {
    reason::denied,          reason::unsupported,         reason::no_version,
    reason::backend_missing, reason::workspace_not_found, reason::duplicate};

// Where there is a plugins folder.
Verdict delivered_here(const PluginInstall& install, const Observed& observed,
                       const std::optional<Error>& failure) {
    const std::string& digest = install.spec.version.digest;
    if (!observed.denied_by.empty()) {
        return no(reason::denied,
                  "PluginPolicy \"" + observed.denied_by + "\" does not allow this plugin");
    }
    if (digest.empty()) {
        return no(reason::no_version, "spec.version.digest is empty; set it");
    }
    const std::string version = "version " + short_digest(digest);
    if (observed.state.delivered() == digest) {
        return yes(reason::delivered, version + " is complete and verified");
    }
    if (failure) return no(reason::delivery_failed, failure->message);
    if (!observed.desired) {
        return no(reason::waiting_for_plugin, "the files of " + version +
                                                  " are not in the tree store: Plugin \"" +
                                                  install.spec.plugin + "\" must fetch them");
    }
    return no(reason::delivering, version + " is being delivered");
}

Verdict delivered(const PluginInstall& install, const Observed& observed,
                  const std::optional<Error>& failure) {
    switch (observed.place) {
        case Observed::Place::gone:
            return no(
                reason::workspace_not_found,
                "there is no Workspace \"" + install.spec.workspace + "\", or it is being deleted");
        case Observed::Place::duplicate:
            return no(reason::duplicate, "PluginInstall \"" + observed.counts_instead +
                                             "\" is older and counts for this workspace and "
                                             "plugin; delete one of the two");
        case Observed::Place::external:
            return no(reason::unsupported,
                      "the workspace is external: nothing can be pushed into it; its agent must "
                      "fetch the plugin, or install it by hand where it runs");
        case Observed::Place::no_backend:
            return no(reason::backend_missing, observed.problem);
        case Observed::Place::unknown:
            return unknown(reason::runtime_unreachable, observed.problem);
        case Observed::Place::not_running:
            return no(reason::waiting_for_unit,
                      "plugins are carried into a running workspace, and it does not run");
        case Observed::Place::here:
            break;
    }
    return delivered_here(install, observed, failure);
}

Verdict effective(const Observed& observed, const std::string& delivered) {
    if (!observed.loaded && !observed.agent_expected) {
        return unknown(reason::not_running, "the workspace does not run");
    }
    if (!observed.loaded) {
        return unknown(reason::nobody_reports,
                       "no agent in the workspace reports what it has loaded");
    }
    if (*observed.loaded == delivered) {
        return yes(reason::loaded,
                   "the agent reports that it has loaded " + short_digest(delivered));
    }
    return no(reason::not_loaded, "the agent reports that it has loaded " +
                                      short_digest(*observed.loaded) + "; delivered is " +
                                      short_digest(delivered));
}

bool is_terminal(const Verdict& verdict, const std::optional<Error>& failure) {
    if (std::find(terminal.begin(), terminal.end(), verdict.reason) != terminal.end()) return true;
    return verdict.reason == reason::delivery_failed && failure &&
           (failure->code == Code::invalid || failure->code == Code::unsupported ||
            failure->code == Code::forbidden);
}

// Records the digests that were seen in the plugins folder.
void set_digests(PluginInstallStatus& status, const PluginInstall& install,
                 const Observed& observed, const Plan& done, Instant now) {
    status.desired = install.spec.version.digest;
    if (!observed.delivery.empty()) status.delivery = observed.delivery;
    if (observed.place != Observed::Place::unknown) status.loaded = observed.loaded.value_or("");
    if (observed.place != Observed::Place::here) return;
    const std::string live = observed.state.delivered();
    if (live != status.delivered) {
        status.delivered_at = live.empty() ? std::nullopt : std::optional(now);
    }
    status.delivered = live;
    if (live.empty()) {
        status.delivered_commit.clear();
    } else if (live == status.desired) {
        status.delivered_commit = install.spec.version.commit;
        if (done.change) status.last_change = done.change;
        if (done.change == crds::ChangeClass::cold) status.restart_digest = live;
    }
    // Removed by a policy: an agent that had it loaded must start again without it.
    if (!observed.denied_by.empty() && !observed.state.live) status.restart_digest.clear();
}

}  // namespace

PluginInstallStatus status(const PluginInstall& install, const Observed& observed, const Plan& done,
                           const std::optional<Error>& failure, Instant now) {
    PluginInstallStatus next = begun(install);
    set_digests(next, install, observed, done, now);
    const Verdict is = delivered(install, observed, failure);
    set_condition(next, condition::delivered, is, now);
    set_condition(next, condition::effective, effective(observed, next.delivered), now);
    set_condition(next, crds::condition::ready, is, now);
    const auto set_if = [&](bool unusual, std::string_view type, std::string_view why,
                            const std::string& message) {
        set_condition_if(unusual, next, type, why, message, now);
    };
    set_if(!observed.denied_by.empty(), condition::denied, reason::not_allowed,
           "PluginPolicy \"" + observed.denied_by + "\" does not list \"" + install.spec.plugin +
               "\"");
    set_if(observed.inert, condition::inert, reason::runtime_not_supported,
           "the plugin does not name the runtime \"" + observed.runtime +
               "\": its files are there, and may do nothing");
    const bool stalled = is_terminal(is, failure);
    const bool at_rest = is.status == ConditionStatus::yes || stalled || install.spec.suspend;
    set_if(stalled, crds::condition::stalled, is.reason, is.message);
    set_if(!at_rest, crds::condition::reconciling, is.reason, is.message);
    set_if(install.spec.suspend, crds::condition::suspended, crds::reason::suspended,
           "spec.suspend is true: the plugin is left as it is");
    return next;
}

std::optional<Instant> next_wake(const PluginInstall& install, const Observed& observed,
                                 const PluginInstallStatus& status, Instant now) {
    if (install.being_deleted() || install.spec.suspend) return std::nullopt;
    if (observed.place != Observed::Place::here) return std::nullopt;
    // No event tells that files came back to the tree store.
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
    // Each look reads and hashes the whole folder. An agent that never reports is left to the
    // resync.
    if (taken >= longest_wait) return std::nullopt;
    if (taken >= patience) return now + taken / 4;
    return now +
           std::clamp<Duration>(taken / 4, std::chrono::milliseconds(250), std::chrono::seconds(5));
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
