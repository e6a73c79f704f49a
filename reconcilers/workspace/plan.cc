#include "reconcilers/workspace/plan.h"

#include <algorithm>

#include "base/text.h"
#include "crds/plugin_install_conditions.h"
#include "crds/workspace_conditions.h"
#include "reconcilers/common/kept_volumes.h"

namespace atelier::reconcilers::workspace {
namespace {

using crds::PluginInstall;
using crds::Workspace;
using drivers::Unit;

bool is_running(const Unit& unit) {
    return unit.state == Unit::State::running || unit.state == Unit::State::paused;
}

void take_down(const Found& found, Plan& plan) {
    if (is_running(found.unit)) plan.actions.push_back(Stop{found});
    plan.actions.push_back(RemoveUnit{found});
}

// --- PluginInstalls

bool is_ours(const Workspace& workspace, const PluginInstall& install) {
    const crds::OwnerReference* owner = install.meta.controller();
    return owner && owner->uid == workspace.meta.uid;
}

bool is_wanted(const Observed& observed, const PluginInstall& install) {
    return std::any_of(
        observed.plugins.begin(), observed.plugins.end(),
        [&](const WantedPlugin& plugin) { return plugin.name == install.spec.plugin; });
}

void plan_installs(const Workspace& workspace, const Observed& observed, Plan& plan) {
    for (const WantedPlugin& plugin : observed.plugins) {
        if (plugin.state == WantedPlugin::State::resolved && !install_of(observed, plugin.name)) {
            plan.actions.push_back(CreateInstall{plugin.name, plugin.version});
        }
    }
    for (const PluginInstall& install : observed.installs) {
        if (!is_wanted(observed, install) && is_ours(workspace, install) &&
            !install.being_deleted()) {
            plan.actions.push_back(DeleteInstall{install.meta.name});
        }
    }
}

// What a start or a restart still waits for; empty: nothing. A start that does not wait for a
// plugin is followed by a restart once the plugin is delivered.
std::string unsettled(const Workspace& workspace, const Observed& observed) {
    for (const WantedPlugin& plugin : observed.plugins) {
        if (plugin.state == WantedPlugin::State::resolved && !install_of(observed, plugin.name)) {
            return "plugin " + plugin.name;
        }
    }
    const Unit* own = own_unit(workspace, observed);
    const bool runs = own && own->state == Unit::State::running;
    for (const PluginInstall& install : observed.installs) {
        const bool goes = !is_wanted(observed, install) && is_ours(workspace, install);
        // What was carried in by exec can be taken out of a running unit only: waiting for that
        // before the start would never end.
        if (!runs && (goes || install.being_deleted()) && install.status.delivery == "exec") {
            continue;
        }
        if (goes || !crds::is_settled(install)) return "plugin " + install.spec.plugin;
    }
    return {};
}

// A new workspace waits a bounded time for its plugins to be resolved: an agent can run without
// them.
std::string unresolved(const Workspace& workspace, const Observed& observed, Instant now,
                       Plan& plan) {
    const Instant born = workspace.meta.created_at.value_or(now);
    for (const WantedPlugin& plugin : observed.plugins) {
        Duration patience{};
        if (plugin.state == WantedPlugin::State::unresolved) patience = patience_unresolved;
        if (plugin.state == WantedPlugin::State::missing) patience = patience_missing;
        if (now >= born + patience) continue;
        plan.wake_at = born + patience;
        return "plugin " + plugin.name;
    }
    return {};
}

// --- the unit

// Files of the old unit that are not declared any more are removed while it still runs.
void remove_stale_files(const Observed& observed, const Found& old, Plan& plan) {
    const auto& kept = observed.desired->files;
    std::vector<std::string> stale;
    for (const std::string& path : split(label_of(old.unit, unit_label::files), '\n')) {
        if (!path.empty() && !std::binary_search(kept.begin(), kept.end(), path)) {
            stale.push_back(path);
        }
    }
    if (old.unit.state == Unit::State::running && !stale.empty()) {
        plan.actions.push_back(RemoveFiles{old, stale});
    }
}

// Nothing is stopped before everything that its successor needs was found, and before the runtime
// was seen to accept the successor.
void create(const Observed& observed, const Found* old, Create how, Plan& plan) {
    const drivers::UnitSpec& unit = observed.desired->unit;
    if (!unit.image.empty()) plan.actions.push_back(FindImage{unit.image});
    plan.actions.push_back(ReadFiles{});
    if (observed.networks) plan.actions.push_back(EnsureNetwork{});
    for (const drivers::Mount& mount : unit.mounts) {
        if (mount.kind == drivers::Mount::Kind::volume) {
            plan.actions.push_back(EnsureVolume{mount.source});
        }
    }
    plan.actions.push_back(PrepareFolder{});
    std::vector<Found> ending;
    if (old) ending.push_back(*old);
    for (const Found& found : observed.units) {
        if (found.backend != observed.backend) ending.push_back(found);
    }
    const bool any_runs = std::any_of(ending.begin(), ending.end(),
                                      [](const Found& found) { return is_running(found.unit); });
    if (any_runs) plan.actions.push_back(TryCreate{});
    if (old) remove_stale_files(observed, *old, plan);
    for (const Found& found : ending) take_down(found, plan);
    // Again, because the old agent may have reported until it was stopped.
    if (any_runs) plan.actions.push_back(PrepareFolder{});
    plan.actions.push_back(std::move(how));
    plan.actions.push_back(WriteFiles{});
    plan.actions.push_back(Start{});
}

std::int64_t next_restarts(const Workspace& workspace, const Unit* old) {
    if (old) return restarts_of(*old) + 1;
    return workspace.status.started_at ? workspace.status.restarts + 1 : 0;
}

// The unit ended by itself. The first time it is started again at once, then after longer waits.
void plan_ended(const Workspace& workspace, const Observed& observed, const Found& old, Instant now,
                Plan& plan) {
    std::int64_t attempt = attempt_of(old.unit);
    const Instant ended = old.unit.finished_at.value_or(now);
    const auto since = created_at(old.unit);
    if (since && ended - *since >= stable_after) attempt = 0;
    if (attempt > 0) {
        // Where the runtime does not know when it ended, the condition says since when it is down.
        const crds::Condition* healthy = workspace.status.find(crds::workspace::condition::healthy);
        Instant from = ended;
        if (!old.unit.finished_at && healthy && healthy->status == crds::ConditionStatus::no) {
            from = healthy->last_transition_time.value_or(now);
        }
        const Instant retry_at = from + crash_backoff(attempt);
        if (now < retry_at) {
            plan.wake_at = retry_at;
            plan.waits_for = next_attempt;
            return;
        }
    }
    create(observed, &old,
           {attempt + 1, next_restarts(workspace, &old.unit), how_it_ended(old.unit)}, plan);
}

void plan_own(const Workspace& workspace, const Observed& observed, const Found& own, Instant now,
              Plan& plan) {
    const std::string changed = difference(observed, own.unit);
    if (!changed.empty()) {
        plan.waits_for = unsettled(workspace, observed);
        if (!plan.waits_for.empty()) return;
        create(observed, &own, {0, next_restarts(workspace, &own.unit), changed}, plan);
        return;
    }
    if (lacks_network(observed, own.unit)) {
        plan.actions.push_back(EnsureNetwork{});
        plan.actions.push_back(JoinNetwork{own.unit.id});
    }
    switch (own.unit.state) {
        case Unit::State::created:
            // A crash of the server came between its creation and its start.
            plan.actions.push_back(ReadFiles{});
            plan.actions.push_back(WriteFiles{});
            plan.actions.push_back(Start{});
            break;
        case Unit::State::exited:
            plan_ended(workspace, observed, own, now, plan);
            break;
        case Unit::State::running:
            if (attempt_of(own.unit) > 1 && created_at(own.unit) &&
                now < *created_at(own.unit) + healthy_after_crash) {
                plan.wake_at = *created_at(own.unit) + healthy_after_crash;
            }
            break;
        case Unit::State::paused:
            break;  // somebody paused it in the runtime on purpose
    }
}

void plan_running(const Workspace& workspace, const Observed& observed, Instant now, Plan& plan) {
    if (!observed.missing.empty()) {
        plan.waits_for = join(observed.missing, ", ");
        return;
    }
    if (observed.env_is_late) {
        plan.waits_for = "the environment that goes with its spec";
        return;
    }
    if (!observed.desired) return;
    const Found* own = nullptr;
    for (const Found& found : observed.units) {
        if (found.backend != observed.backend) continue;
        if (!own && found.unit.name == observed.desired->unit.name) {
            own = &found;
        } else {
            take_down(found, plan);
        }
    }
    if (own) return plan_own(workspace, observed, *own, now, plan);

    const bool first = !workspace.status.started_at && observed.units.empty();
    plan.waits_for = unsettled(workspace, observed);
    if (plan.waits_for.empty() && first) {
        plan.waits_for = unresolved(workspace, observed, now, plan);
    }
    if (!plan.waits_for.empty()) return;
    const bool moved = !observed.units.empty();
    create(observed, nullptr,
           {0, next_restarts(workspace, nullptr),
            first                                ? "it is new"
            : moved                              ? "backend changed"
            : workspace.status.container.empty() ? "resumed"
                                                 : "it was gone"},
           plan);
}

// Planned only once the unit is stopped; nothing starts it again, because the workspace is being
// deleted.
void plan_volumes(const Workspace& workspace, const Observed& observed, Instant now, Plan& plan) {
    if (!observed.volumes_held_by.empty() || observed.volumes.empty()) return;
    if (const auto until = keep_volumes_until(workspace.meta, now)) {
        plan.actions.push_back(KeepVolumes{*until, observed.volumes});
        return;
    }
    for (const std::string& volume : observed.volumes) {
        auto [backend, name] = parts_of_volume(volume);
        plan.actions.push_back(RemoveVolume{std::move(backend), std::move(name)});
    }
}

void plan_deletion(const Workspace& workspace, const Observed& observed, Instant now, Plan& plan) {
    for (const Found& found : observed.units) take_down(found, plan);
    for (const PluginInstall& install : observed.installs) {
        if (!install.being_deleted()) plan.actions.push_back(DeleteInstall{install.meta.name});
    }
    if (!observed.installs.empty()) {
        plan.waits_for = "its PluginInstalls to go";
        return;
    }
    plan_volumes(workspace, observed, now, plan);
    if (observed.has_folder) plan.actions.push_back(DestroyFolder{});
    // Other workspaces may be marked for deletion while the unit is taken down, so the action
    // itself checks again whether this is the last one.
    if (observed.last_of_server || !observed.units.empty()) plan.actions.push_back(RemoveNetwork{});
    if (!observed.children.empty()) plan.actions.push_back(LeaveChildren{observed.children});
    plan.actions.push_back(Release{});
}

// What somebody changed in the runtime since the unit was made. A runtime that does not know one of
// these reports nothing of it, and nothing is concluded from that.
std::vector<std::string> drifted_parts(const drivers::UnitSpec& spec, const Unit& unit) {
    std::vector<std::string> parts;
    const auto differs = [](std::int64_t is, std::int64_t wanted) {
        return is != 0 && is != wanted;
    };
    if (differs(unit.memory_bytes, spec.memory_bytes) || differs(unit.nano_cpus, spec.nano_cpus) ||
        differs(unit.pids, spec.pids)) {
        parts.emplace_back("limits in the runtime");
    }
    for (const drivers::Mount& wanted : spec.mounts) {
        const auto is = std::find_if(
            unit.mounts.begin(), unit.mounts.end(),
            [&](const drivers::Mount& mount) { return mount.target == wanted.target; });
        const bool other = is != unit.mounts.end() && wanted.kind == drivers::Mount::Kind::volume &&
                           (is->kind != wanted.kind || is->source != wanted.source);
        if (other) parts.push_back("the mount " + wanted.target + " in the runtime");
    }
    return parts;
}

}  // namespace

Duration crash_backoff(std::int64_t attempt) {
    const std::int64_t doublings = std::clamp<std::int64_t>(attempt - 1, 0, 10);
    return std::min<Duration>(std::chrono::seconds(10) * (std::int64_t{1} << doublings),
                              std::chrono::minutes(5));
}

std::string how_it_ended(const Unit& unit) {
    std::string text = "exit code " + std::to_string(unit.exit_code);
    if (!unit.out_of_memory) return text;
    text += ", because it used up its memory";
    if (unit.memory_bytes > 0) text += " of " + std::to_string(unit.memory_bytes >> 20) + " MiB";
    return text;
}

bool lacks_network(const Observed& observed, const Unit& unit) {
    if (!observed.networks || !observed.desired || !is_running(unit)) return false;
    const std::string& network = observed.desired->unit.network;
    return !network.empty() &&
           std::find(unit.networks.begin(), unit.networks.end(), network) == unit.networks.end();
}

std::string difference(const Observed& observed, const Unit& unit) {
    const std::string old_hash = label_of(unit, unit_label::spec_hash);
    std::vector<std::string> reasons;
    if (old_hash != observed.desired->spec_hash) {
        reasons = changed_parts(old_hash, observed.desired->spec_hash);
    }
    if (label_of(unit, unit_label::restart_digest) != restart_digest(observed.installs)) {
        reasons.emplace_back("plugins");
    }
    for (std::string& part : drifted_parts(observed.desired->unit, unit)) {
        reasons.push_back(std::move(part));
    }
    return reasons.empty() ? "" : join(reasons, ", ") + " changed";
}

Plan plan(const Workspace& workspace, const Observed& observed, Instant now) {
    Plan plan;
    if (observed.place == Observed::Place::unknown) return plan;
    if (workspace.being_deleted()) {
        plan_deletion(workspace, observed, now, plan);
        return plan;
    }
    if (workspace.spec.suspend) return plan;
    plan_installs(workspace, observed, plan);
    if (observed.place == Observed::Place::missing) return plan;
    if (observed.place == Observed::Place::external ||
        workspace.spec.desired_state != crds::DesiredState::running) {
        for (const Found& found : observed.units) take_down(found, plan);
        return plan;
    }
    plan_running(workspace, observed, now, plan);
    return plan;
}

bool creates(const Plan& plan) {
    return std::any_of(plan.actions.begin(), plan.actions.end(), [](const Action& action) {
        return std::holds_alternative<EnsureVolume>(action) ||
               std::holds_alternative<PrepareFolder>(action) ||
               std::holds_alternative<Create>(action);
    });
}

std::string text(const Action& action) {
    struct Words {
        std::string operator()(const CreateInstall& a) const { return "install " + a.plugin; }
        std::string operator()(const DeleteInstall& a) const { return "uninstall " + a.name; }
        std::string operator()(const FindImage& a) const { return "find image " + a.image; }
        std::string operator()(const ReadFiles&) const { return "read files"; }
        std::string operator()(const EnsureNetwork&) const { return "ensure network"; }
        std::string operator()(const EnsureVolume& a) const { return "ensure volume " + a.name; }
        std::string operator()(const PrepareFolder&) const { return "prepare folder"; }
        std::string operator()(const JoinNetwork&) const { return "join network"; }
        std::string operator()(const TryCreate&) const { return "try create"; }
        std::string operator()(const RemoveFiles& a) const {
            return "remove files " + join(a.paths, " ");
        }
        std::string operator()(const Stop& a) const { return "stop " + a.what.unit.name; }
        std::string operator()(const RemoveUnit& a) const { return "remove " + a.what.unit.name; }
        std::string operator()(const Create& a) const {
            return "create #" + std::to_string(a.attempt) + " (" + a.reason + ")";
        }
        std::string operator()(const WriteFiles&) const { return "write files"; }
        std::string operator()(const Start&) const { return "start"; }
        std::string operator()(const RemoveVolume& a) const { return "remove volume " + a.name; }
        std::string operator()(const KeepVolumes& a) const {
            return "keep " + std::to_string(a.volumes.size()) + " volumes until " +
                   rfc3339(a.until);
        }
        std::string operator()(const DestroyFolder&) const { return "destroy folder"; }
        std::string operator()(const RemoveNetwork&) const { return "remove network"; }
        std::string operator()(const LeaveChildren& a) const {
            return "leave " + join(a.names, " ") + " without a parent";
        }
        std::string operator()(const Release&) const { return "release"; }
    };
    return std::visit(Words(), action);
}

std::string text(const Plan& plan) {
    std::vector<std::string> words;
    for (const Action& action : plan.actions) words.push_back(text(action));
    std::string out = join(words, ", ");
    if (!plan.waits_for.empty()) {
        out += (out.empty() ? "waits for " : "; waits for ") + plan.waits_for;
    }
    return out;
}

}  // namespace atelier::reconcilers::workspace
