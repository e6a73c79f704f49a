#include "reconcilers/workspace/report.h"

#include <algorithm>

#include "base/text.h"
#include "reconcilers/plugin_install/report.h"

namespace atelier::reconcilers::workspace {
namespace {

using crds::Condition;
using crds::ConditionStatus;
using crds::DesiredState;
using crds::PluginInstall;
using crds::Workspace;
using crds::WorkspaceStatus;
using drivers::Unit;

Condition make(std::string_view type, ConditionStatus status, std::string_view reason,
               std::string message) {
    return {std::string(type), status, std::string(reason), std::move(message)};
}
Condition yes(std::string_view type, std::string_view reason, std::string message) {
    return make(type, ConditionStatus::yes, reason, std::move(message));
}
Condition no(std::string_view type, std::string_view reason, std::string message) {
    return make(type, ConditionStatus::no, reason, std::move(message));
}
Condition unknown(std::string_view type, std::string_view reason, std::string message) {
    return make(type, ConditionStatus::unknown, reason, std::move(message));
}

bool has_spec(const Unit& unit, const Observed& observed) {
    const auto it = unit.labels.find(std::string(unit_label::spec_hash));
    return observed.desired && it != unit.labels.end() && it->second == observed.desired->spec_hash;
}

Condition provisioned(const Workspace& workspace, const Observed& observed, const Plan& plan,
                      const std::optional<Error>& failure) {
    const std::string_view type = condition::provisioned;
    const Unit* unit = own_unit(workspace, observed);
    switch (observed.place) {
        case Observed::Place::unknown:
            return unknown(type, "RuntimeUnreachable", observed.problem);
        case Observed::Place::missing:
            return no(type, "BackendMissing", observed.problem);
        case Observed::Place::external:
            return yes(type, "External", "its agent runs elsewhere; nothing is run here");
        case Observed::Place::here:
            break;
    }
    if (workspace.being_deleted()) {
        return no(
            type, "Terminating",
            plan.waits_for.empty() ? "it is being taken down" : "waits for " + plan.waits_for);
    }
    if (workspace.spec.desired_state != DesiredState::running) {
        const std::string state(json::name_of(workspace.spec.desired_state));
        if (unit) return no(type, "Stopping", failure ? failure->message : "its unit is to stop");
        return no(type, state, "stopped as declared; its files are kept");
    }
    if (observed.refused) return no(type, "Invalid", observed.refused->message);
    if (failure) {
        const bool no_image = failure->code == Code::not_found && observed.desired &&
                              failure->message.starts_with("image ");
        return no(type, no_image ? "ImageMissing" : "Failed", failure->message);
    }
    if (!observed.missing.empty()) {
        return no(type, "SecretsMissing", "waits for " + join(observed.missing, ", "));
    }
    if (unit && has_spec(*unit, observed) && unit->state != Unit::State::created &&
        plan.waits_for.empty()) {
        return yes(type, "Provisioned", unit->name + " is as declared");
    }
    if (!plan.waits_for.empty()) {
        return no(type, unit && unit->state == Unit::State::exited ? "CrashLoop" : "Waiting",
                  "waits for " + plan.waits_for);
    }
    return no(type, "Provisioning", "it is being made");
}

Condition healthy(const Workspace& workspace, const Observed& observed, const Plan& plan,
                  Instant now) {
    const std::string_view type = condition::healthy;
    if (observed.place == Observed::Place::unknown) {
        return unknown(type, "RuntimeUnreachable", observed.problem);
    }
    if (observed.place == Observed::Place::external) {
        return unknown(type, "NobodyReports", "its agent runs elsewhere and does not report");
    }
    const Unit* unit = own_unit(workspace, observed);
    if (!unit) return no(type, "NotRunning", "it has no unit");
    const std::int64_t attempt = attempt_of(*unit);
    const auto since = created_at(*unit);
    switch (unit->state) {
        case Unit::State::created:
            return no(type, "NotRunning", unit->name + " is not started yet");
        case Unit::State::paused:
            return no(type, "Frozen", unit->name + " was paused in its runtime by somebody else");
        case Unit::State::running:
            if (attempt > 1 && since && now < *since + healthy_after_crash) {
                return no(type, "CrashLoop",
                          "it runs again, after " + std::to_string(attempt) + " crashes in a row");
            }
            return yes(type, "Running", unit->name + " runs");
        case Unit::State::exited:
            break;
    }
    std::string message = "it ended with exit code " + std::to_string(unit->exit_code);
    if (plan.wake_at && plan.waits_for == "the next attempt") {
        message += "; it is started again at " + rfc3339(*plan.wake_at);
    }
    return no(type, attempt > 0 ? "CrashLoop" : "Crashed", std::move(message));
}

const PluginInstall* install_of(const Observed& observed, const std::string& plugin) {
    for (const PluginInstall& install : observed.installs) {
        if (install.spec.plugin == plugin && !install.being_deleted()) return &install;
    }
    return nullptr;
}

// Why a plugin is not installed; empty when it is.
std::pair<std::string, std::string> lack(const WantedPlugin& plugin, const Observed& observed) {
    const PluginInstall* install = install_of(observed, plugin.name);
    if (!install) {
        switch (plugin.state) {
            case WantedPlugin::State::missing:
                return {"PluginNotFound", "there is no Plugin \"" + plugin.name + "\""};
            case WantedPlugin::State::failing:
                return {"PluginNotResolved", "Plugin \"" + plugin.name + "\": " + plugin.problem};
            case WantedPlugin::State::unresolved:
                return {"PluginNotResolved", "Plugin \"" + plugin.name + "\" has no version yet"};
            case WantedPlugin::State::resolved:
                return {"Installing", "\"" + plugin.name + "\" is being installed"};
        }
    }
    const auto& status = install->status;
    const Condition* delivered = status.find(plugin_install::condition::delivered);
    if (delivered && delivered->status == ConditionStatus::yes &&
        status.delivered == install->spec.version.digest) {
        return {};
    }
    if (!delivered || status.observed_generation != install->meta.generation) {
        return {"Installing", "\"" + plugin.name + "\" is being installed"};
    }
    return {delivered->reason, "\"" + plugin.name + "\": " + delivered->message};
}

Condition plugins_installed(const Observed& observed) {
    const std::string_view type = condition::plugins_installed;
    std::string reason;
    std::vector<std::string> messages;
    for (const WantedPlugin& plugin : observed.plugins) {
        const auto [why, message] = lack(plugin, observed);
        if (why.empty()) continue;
        if (reason.empty()) reason = why;
        messages.push_back(message);
    }
    if (!messages.empty()) return no(type, reason, join(messages, "; "));
    if (observed.plugins.empty()) return yes(type, "NoPlugins", "it names no plugins");
    return yes(type, "Installed", "all of its plugins are delivered");
}

bool is_loaded(const PluginInstall& install) {
    return install.status.is_true(plugin_install::condition::effective) &&
           install.status.loaded == install.spec.version.digest;
}

Condition effective(const Observed& observed) {
    const std::string_view type = condition::effective;
    bool all = true;
    bool unsure = false;
    std::string which;
    for (const WantedPlugin& plugin : observed.plugins) {
        const PluginInstall* install = install_of(observed, plugin.name);
        if (install && is_loaded(*install)) continue;
        const Condition* c =
            install ? install->status.find(plugin_install::condition::effective) : nullptr;
        if (c && c->status == ConditionStatus::unknown) unsure = true;
        if (which.empty()) which = plugin.name;
        all = false;
    }
    if (all) {
        return yes(type, observed.plugins.empty() ? "NoPlugins" : "Loaded",
                   observed.plugins.empty() ? "it names no plugins"
                                            : "its agent has loaded all of its plugins");
    }
    if (unsure) return unknown(type, "NobodyReports", "nobody reports what is loaded");
    return no(type, "NotLoaded", "\"" + which + "\" is not loaded as desired");
}

Condition secrets_available(const Observed& observed) {
    const std::string_view type = condition::secrets_available;
    if (observed.missing.empty()) return yes(type, "Available", "all of its environment is there");
    return no(type, "Missing", "there is no " + join(observed.missing, ", no "));
}

// What has no effect in this release, said where it is asked for.
std::vector<std::string> idle_fields(const crds::WorkspaceSpec& spec) {
    std::vector<std::string> fields;
    const auto add = [&](bool set, const char* name) {
        if (set) fields.emplace_back(name);
    };
    add(!spec.schedules.empty(), "schedules");
    add(!spec.channels.empty(), "channels");
    add(!spec.initial_memories.empty(), "initialMemories");
    add(!spec.initial_prompt.empty(), "initialPrompt");
    add(!spec.idle_prompt.empty(), "idlePrompt");
    add(!spec.category_routing.empty(), "categoryRouting");
    add(spec.max_concurrent_tasks > 1, "maxConcurrentTasks");
    return fields;
}

void set_notices(WorkspaceStatus& status, const Workspace& workspace, const Observed& observed,
                 const std::function<void(Condition)>& set) {
    const auto fields = idle_fields(workspace.spec);
    if (fields.empty()) {
        status.clear(condition::not_acted_on);
    } else {
        set(yes(condition::not_acted_on, "NotInThisRelease",
                "kept, and not acted on yet: spec." + join(fields, ", spec.")));
    }
    if (observed.desired && !observed.desired->not_granted.empty()) {
        set(yes(condition::tier_limited, "NotGranted",
                "tier " + std::to_string(workspace.spec.tier) + " without " +
                    join(observed.desired->not_granted, ", ")));
    } else if (observed.desired || observed.place == Observed::Place::external) {
        status.clear(condition::tier_limited);
    }
    if (workspace.spec.suspend) {
        set(yes(crds::condition::suspended, "Suspended", "spec.suspend is true"));
    } else {
        status.clear(crds::condition::suspended);
    }
}

Condition ready(const WorkspaceStatus& status, const Workspace& workspace,
                const Observed& observed) {
    const std::string_view type = crds::condition::ready;
    if (observed.place == Observed::Place::external) {
        return yes(type, "External", "declared; its agent runs elsewhere");
    }
    for (const std::string_view part :
         {condition::provisioned, condition::healthy, condition::secrets_available,
          condition::plugins_installed}) {
        const Condition* c = status.find(part);
        if (c && c->status != ConditionStatus::yes) {
            return make(type, c->status, c->reason, c->message);
        }
    }
    return yes(type, "Running",
               "runs in " + observed.backend + " as " + unit_name(workspace.meta.uid));
}

void set_progress(WorkspaceStatus& status, const Workspace& workspace, const Observed& observed,
                  const std::optional<Error>& failure, const std::function<void(Condition)>& set) {
    const Condition& is_ready = *status.find(crds::condition::ready);
    const std::string& reason = is_ready.reason;
    const bool terminal =
        observed.refused || observed.place == Observed::Place::missing ||
        reason == "ImageMissing" || reason == "Denied" || reason == "PluginNotFound" ||
        (failure && (failure->code == Code::invalid || failure->code == Code::unsupported ||
                     failure->code == Code::forbidden));
    const bool at_rest = is_ready.status == ConditionStatus::yes || workspace.spec.suspend ||
                         (workspace.spec.desired_state != DesiredState::running &&
                          reason == json::name_of(workspace.spec.desired_state));
    if (terminal && is_ready.status != ConditionStatus::yes) {
        set(yes(crds::condition::stalled, reason, is_ready.message));
        status.clear(crds::condition::reconciling);
        return;
    }
    status.clear(crds::condition::stalled);
    if (at_rest) {
        status.clear(crds::condition::reconciling);
    } else {
        set(yes(crds::condition::reconciling, reason, is_ready.message));
    }
}

void set_unit(WorkspaceStatus& status, const Workspace& workspace, const Observed& observed) {
    if (observed.place == Observed::Place::unknown) return;
    status.backend = observed.backend;
    const Unit* unit = own_unit(workspace, observed);
    if (!unit) {
        // The name stays while one is to be there: its loss is told by the conditions.
        if (observed.place != Observed::Place::here ||
            workspace.spec.desired_state != DesiredState::running) {
            status.container.clear();
            status.spec_hash.clear();
        }
        return;
    }
    status.container = unit->name;
    status.image_digest = unit->image_id;
    const auto hash = unit->labels.find(std::string(unit_label::spec_hash));
    status.spec_hash = hash == unit->labels.end() ? std::string() : hash->second;
    if (unit->state == Unit::State::created) return;
    status.restarts = restarts_of(*unit);
    status.started_at = created_at(*unit);
}

void set_plugins(WorkspaceStatus& status, const Observed& observed) {
    status.plugins.clear();
    std::size_t loaded = 0;
    for (const WantedPlugin& plugin : observed.plugins) {
        crds::WorkspacePlugin entry;
        entry.name = plugin.name;
        if (const PluginInstall* install = install_of(observed, plugin.name)) {
            entry.desired = install->spec.version.digest;
            entry.delivered = install->status.delivered;
            entry.loaded = install->status.loaded;
            if (is_loaded(*install)) ++loaded;
            if (!install->status.delivery.empty())
                status.plugin_delivery = install->status.delivery;
        }
        status.plugins.push_back(std::move(entry));
    }
    status.plugins_summary = std::to_string(loaded) + "/" + std::to_string(observed.plugins.size());
}

}  // namespace

WorkspaceStatus report(const Workspace& workspace, const Observed& observed, const Plan& plan,
                       const std::optional<Error>& failure, Instant now) {
    WorkspaceStatus status = workspace.status;
    status.observed_generation = workspace.meta.generation;
    status.last_handled_reconcile_at =
        workspace.meta.annotation(crds::annotation::reconcile_requested_at);
    const auto set = [&](Condition condition) {
        condition.observed_generation = workspace.meta.generation;
        status.set(std::move(condition), now);
    };
    set_unit(status, workspace, observed);
    set_plugins(status, observed);
    set(provisioned(workspace, observed, plan, failure));
    set(healthy(workspace, observed, plan, now));
    set(plugins_installed(observed));
    set(effective(observed));
    set(secrets_available(observed));
    set_notices(status, workspace, observed, set);
    set(ready(status, workspace, observed));
    set_progress(status, workspace, observed, failure, set);
    return status;
}

}  // namespace atelier::reconcilers::workspace
