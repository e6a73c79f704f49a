#include "reconcilers/workspace/status.h"

#include <map>

#include "base/text.h"
#include "crds/conditions.h"
#include "crds/plugin_install_conditions.h"
#include "reconcilers/common/status.h"
#include "reconcilers/common/text.h"

namespace atelier::reconcilers::workspace {
namespace {

namespace condition = crds::workspace::condition;
namespace reason = crds::workspace::reason;

constexpr std::size_t most_skills = 5;

using crds::Condition;
using crds::ConditionStatus;
using crds::DesiredState;
using crds::PluginInstall;
using crds::Workspace;
using crds::WorkspaceStatus;
using drivers::Unit;

// Only the action that looks for an image fails in this way.
bool is_image_missing(const Observed& observed, const std::optional<Error>& failure) {
    return failure && failure->code == Code::not_found && observed.desired &&
           failure->message.starts_with("image ");
}

// Of one that is to run in a runtime of this server.
Verdict provisioned_here(const Workspace& workspace, const Observed& observed, const Plan& plan,
                         const std::optional<Error>& failure) {
    if (observed.refused) return no(reason::invalid, observed.refused->message);
    if (is_image_missing(observed, failure)) return no(reason::image_missing, failure->message);
    if (failure) return no(reason::failed, failure->message);
    if (!observed.missing.empty()) {
        return no(reason::secrets_missing,
                  "the unit is not started without " + join(observed.missing, ", "));
    }
    const Unit* unit = own_unit(workspace, observed);
    if (!plan.waits_for.empty()) {
        const bool ended = unit && unit->state == Unit::State::exited;
        return no(ended ? reason::crash_loop : reason::waiting, "waits for " + plan.waits_for);
    }
    const bool as_declared = unit && observed.desired && unit->state != Unit::State::created &&
                             label_of(*unit, unit_label::spec_hash) == observed.desired->spec_hash;
    if (unit && lacks_network(observed, *unit)) {
        return no(reason::network_missing,
                  "the unit " + unit->name + " is not attached to the network " +
                      observed.desired->unit.network + "; it is attached again");
    }
    if (as_declared) return yes(reason::provisioned, "the unit " + unit->name + " is as declared");
    return no(reason::provisioning, "the unit is being made");
}

Verdict provisioned(const Workspace& workspace, const Observed& observed, const Plan& plan,
                    const std::optional<Error>& failure) {
    switch (observed.place) {
        case Observed::Place::unknown:
            return unknown(reason::runtime_unreachable, observed.problem);
        case Observed::Place::missing:
            return no(reason::backend_missing, observed.problem);
        case Observed::Place::external:
            return yes(reason::external, "the agent runs elsewhere; nothing is run here");
        case Observed::Place::here:
            break;
    }
    if (workspace.being_deleted()) {
        return no(reason::terminating, plan.waits_for.empty() ? "the workspace is being taken down"
                                                              : "waits for " + plan.waits_for);
    }
    if (workspace.spec.desired_state == DesiredState::running) {
        return provisioned_here(workspace, observed, plan, failure);
    }
    if (own_unit(workspace, observed)) {
        return no(reason::stopping, failure ? failure->message : "the unit is to stop");
    }
    const bool paused = workspace.spec.desired_state == DesiredState::paused;
    return no(paused ? reason::paused : reason::hibernated,
              "stopped as declared; the files are kept");
}

Verdict ended(const Unit& unit, const Plan& plan) {
    std::string message = "the unit ended with " + how_it_ended(unit);
    if (plan.wake_at && plan.waits_for == next_attempt) {
        message += "; it is started again at " + rfc3339(*plan.wake_at);
    }
    if (unit.out_of_memory) return no(reason::out_of_memory, std::move(message));
    return no(attempt_of(unit) > 0 ? reason::crash_loop : reason::crashed, std::move(message));
}

// What the health check of the image says about a unit that runs.
Verdict running(const Unit& unit) {
    switch (unit.health) {
        case Unit::Health::starting:
            return no(reason::starting,
                      "the health check of the unit " + unit.name + " has not passed yet");
        case Unit::Health::unhealthy:
            return no(reason::unhealthy, "the health check of the unit " + unit.name + " fails" +
                                             (unit.health_output.empty() ? "" : ": ") +
                                             unit.health_output);
        case Unit::Health::none:
        case Unit::Health::healthy:
            break;
    }
    return yes(reason::running, "the unit " + unit.name + " runs");
}

Verdict healthy(const Workspace& workspace, const Observed& observed, const Plan& plan,
                Instant now) {
    if (observed.place == Observed::Place::unknown) {
        return unknown(reason::runtime_unreachable, observed.problem);
    }
    if (observed.place == Observed::Place::external) {
        return unknown(reason::nobody_reports, "the agent runs elsewhere and does not report");
    }
    const Unit* unit = own_unit(workspace, observed);
    if (!unit) return no(reason::not_running, "the workspace has no unit");
    const std::int64_t attempt = attempt_of(*unit);
    const auto since = created_at(*unit);
    switch (unit->state) {
        case Unit::State::created:
            return no(reason::not_running, "the unit " + unit->name + " is not started yet");
        case Unit::State::paused:
            return no(reason::frozen, "the unit " + unit->name +
                                          " was paused in its runtime by somebody else; unpause "
                                          "it there");
        case Unit::State::running:
            if (attempt > 1 && since && now < *since + healthy_after_crash) {
                return no(reason::crash_loop, "the unit runs again, after " +
                                                  std::to_string(attempt) + " crashes in a row");
            }
            return running(*unit);
        case Unit::State::exited:
            break;
    }
    return ended(*unit, plan);
}

// An install that is being deleted is of no use any more.
const PluginInstall* useful_install(const Observed& observed, const std::string& plugin) {
    const PluginInstall* install = install_of(observed, plugin);
    return install && !install->being_deleted() ? install : nullptr;
}

Verdict not_yet_installed(const WantedPlugin& plugin) {
    const std::string name = "Plugin \"" + plugin.name + "\"";
    switch (plugin.state) {
        case WantedPlugin::State::missing:
            return no(reason::plugin_not_found, "there is no " + name);
        case WantedPlugin::State::failing:
            return no(reason::plugin_not_resolved, name + ": " + plugin.problem);
        case WantedPlugin::State::unresolved:
            return no(reason::plugin_not_resolved, name + " has no approved version yet");
        case WantedPlugin::State::resolved:
            break;
    }
    return no(reason::installing, "\"" + plugin.name + "\" is being installed");
}

Verdict installed(const WantedPlugin& plugin, const Observed& observed) {
    const PluginInstall* install = useful_install(observed, plugin.name);
    if (!install) return not_yet_installed(plugin);
    if (crds::is_delivered(*install)) return yes(reason::installed, "");
    const Condition* delivered = install->status.find(crds::plugin_install::condition::delivered);
    if (!delivered || install->status.observed_generation != install->meta.generation) {
        return no(reason::installing, "\"" + plugin.name + "\" is being installed");
    }
    return no(delivered->reason, "\"" + plugin.name + "\": " + delivered->message);
}

// The reason is that of the first plugin that is not installed, the message names them all.
Verdict plugins_installed(const Observed& observed) {
    std::string why;
    std::vector<std::string> messages;
    for (const WantedPlugin& plugin : observed.plugins) {
        Verdict one = installed(plugin, observed);
        if (one.status == ConditionStatus::yes) continue;
        if (why.empty()) why = one.reason;
        messages.push_back(std::move(one.message));
    }
    if (!messages.empty()) return no(why, join(messages, "; "));
    if (observed.plugins.empty()) return yes(reason::no_plugins, "the spec names no plugins");
    return yes(reason::installed, "all plugins of the spec are delivered");
}

Verdict effective(const Observed& observed) {
    if (observed.plugins.empty()) return yes(reason::no_plugins, "the spec names no plugins");
    bool unsure = false;
    std::string first;
    for (const WantedPlugin& plugin : observed.plugins) {
        const PluginInstall* install = useful_install(observed, plugin.name);
        if (install && crds::is_effective(*install)) continue;
        const Condition* said =
            install ? install->status.find(crds::plugin_install::condition::effective) : nullptr;
        if (said && said->status == ConditionStatus::unknown) unsure = true;
        if (first.empty()) first = plugin.name;
    }
    if (first.empty()) {
        return yes(reason::loaded, "the agent reports that it has loaded all of its plugins");
    }
    if (unsure) return unknown(reason::nobody_reports, "no agent reports what is loaded");
    return no(reason::not_loaded, "\"" + first + "\" is not loaded as delivered");
}

Verdict secrets_available(const Observed& observed) {
    if (observed.missing.empty()) {
        return yes(reason::available, "all of the environment exists");
    }
    return no(reason::missing, "there is no " + join(observed.missing, ", no "));
}

// Fields that this release stores and does not act on.
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

Verdict ready(const WorkspaceStatus& status, const Workspace& workspace, const Observed& observed) {
    if (observed.place == Observed::Place::external) {
        return yes(reason::external, "declared; the agent runs elsewhere");
    }
    for (const std::string_view part :
         {condition::provisioned, condition::healthy, condition::secrets_available,
          condition::plugins_installed}) {
        const Condition* c = status.find(part);
        if (c && c->status != ConditionStatus::yes)
            return Verdict{c->status, c->reason, c->message};
    }
    return yes(reason::running,
               "the unit " + unit_name(workspace.meta.uid) + " runs in " + observed.backend);
}

// Nothing changes until somebody changes the spec, the server or what is missing.
bool is_terminal(const Verdict& ready, const Observed& observed,
                 const std::optional<Error>& failure) {
    if (ready.status == ConditionStatus::yes) return false;
    if (observed.refused || observed.place == Observed::Place::missing) return true;
    if (failure && (failure->code == Code::invalid || failure->code == Code::unsupported ||
                    failure->code == Code::forbidden)) {
        return true;
    }
    return ready.reason == reason::image_missing ||
           ready.reason == crds::plugin_install::reason::denied ||
           ready.reason == reason::plugin_not_found;
}

bool is_at_rest(const Verdict& ready, const Workspace& workspace) {
    return ready.status == ConditionStatus::yes || workspace.spec.suspend ||
           ready.reason == reason::paused || ready.reason == reason::hibernated;
}

void set_unit(WorkspaceStatus& status, const Workspace& workspace, const Observed& observed) {
    if (observed.place == Observed::Place::unknown) return;
    status.backend = observed.backend;
    const Unit* unit = own_unit(workspace, observed);
    if (!unit) {
        // The name stays while a unit is to be there: the conditions say that it is lost.
        if (observed.place != Observed::Place::here ||
            workspace.spec.desired_state != DesiredState::running) {
            status.container.clear();
            status.spec_hash.clear();
        }
        return;
    }
    status.container = unit->name;
    status.image_digest = unit->image_id;
    status.spec_hash = label_of(*unit, unit_label::spec_hash);
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
        if (const PluginInstall* install = useful_install(observed, plugin.name)) {
            entry.desired = install->spec.version.digest;
            entry.delivered = install->status.delivered;
            entry.loaded = install->status.loaded;
            if (crds::is_effective(*install)) ++loaded;
            if (!install->status.delivery.empty()) {
                status.plugin_delivery = install->status.delivery;
            }
        }
        status.plugins.push_back(std::move(entry));
    }
    status.plugins_summary = std::to_string(loaded) + "/" + std::to_string(observed.plugins.size());
}

// "the skill "x" is in the plugins a, b": those that more than one plugin has; empty: none is.
std::string shared_skills(const Observed& observed) {
    std::map<std::string, std::vector<std::string>> plugins;
    for (const WantedPlugin& plugin : observed.plugins) {
        for (const std::string& skill : plugin.skills) plugins[skill].push_back(plugin.name);
    }
    std::vector<std::string> texts;
    for (const auto& [skill, names] : plugins) {
        if (names.size() < 2) continue;
        texts.push_back("the skill \"" + skill + "\" is in the plugins " + join(names, ", "));
    }
    return some_of(texts, most_skills, "; ");
}

void set_notices(WorkspaceStatus& status, const Workspace& workspace, const Observed& observed,
                 Instant now) {
    const auto fields = idle_fields(workspace.spec);
    set_condition_if(!fields.empty(), status, condition::not_acted_on, reason::not_in_this_release,
                     "stored, and without effect in this release: spec." + join(fields, ", spec."),
                     now);
    set_condition_if(workspace.spec.suspend, status, crds::condition::suspended,
                     crds::reason::suspended, "spec.suspend is true: the unit is left as it is",
                     now);
    const std::string skills = shared_skills(observed);
    set_condition_if(!skills.empty(), status, condition::skill_conflict, reason::same_skill,
                     skills + ": agents load only one of them; rename one, or take a plugin out",
                     now);
    const bool external = observed.place == Observed::Place::external;
    if (!observed.desired && !external) return;  // not known: it stays as it was
    const auto lacks =
        observed.desired ? observed.desired->not_granted : std::vector<std::string>();
    set_condition_if(!lacks.empty(), status, condition::tier_limited, reason::not_granted,
                     "the unit has tier " + std::to_string(workspace.spec.tier) + " without " +
                         join(lacks, ", "),
                     now);
}

}  // namespace

WorkspaceStatus status(const Workspace& workspace, const Observed& observed, const Plan& plan,
                       const std::optional<Error>& failure, Instant now) {
    WorkspaceStatus next = begun(workspace);
    set_unit(next, workspace, observed);
    set_plugins(next, observed);
    const auto set = [&](std::string_view type, const Verdict& verdict) {
        set_condition(next, type, verdict, now);
    };
    set(condition::provisioned, provisioned(workspace, observed, plan, failure));
    set(condition::healthy, healthy(workspace, observed, plan, now));
    set(condition::plugins_installed, plugins_installed(observed));
    set(condition::effective, effective(observed));
    set(condition::secrets_available, secrets_available(observed));
    set_notices(next, workspace, observed, now);
    const Verdict is = ready(next, workspace, observed);
    set(crds::condition::ready, is);
    const bool stalled = is_terminal(is, observed, failure);
    const bool at_rest = stalled || is_at_rest(is, workspace);
    set_condition_if(stalled, next, crds::condition::stalled, is.reason, is.message, now);
    set_condition_if(!at_rest, next, crds::condition::reconciling, is.reason, is.message, now);
    return next;
}

WorkspaceStatus terminating(const Workspace& workspace, Instant now) {
    WorkspaceStatus next = terminating_status(workspace, now);
    next.container.clear();
    next.spec_hash.clear();
    set_condition(next, condition::provisioned,
                  no(reason::terminating, "the unit was removed; the workspace is being deleted"),
                  now);
    set_condition(next, condition::healthy, no(reason::not_running, "the workspace has no unit"),
                  now);
    set_condition(next, condition::effective,
                  unknown(reason::not_running, "the workspace has no unit"), now);
    return next;
}

}  // namespace atelier::reconcilers::workspace
