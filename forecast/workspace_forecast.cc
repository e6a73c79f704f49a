#include "forecast/workspace_forecast.h"

#include <fmt/format.h>

#include <algorithm>

#include "crds/deleted_workspace.h"
#include "forecast/workspace_reasons.h"

namespace atelier::forecast {
namespace {

using crds::DesiredState;
using crds::Workspace;
using reconcilers::workspace::Observed;

std::string shown_parent(const std::string& parent) {
    return parent.empty() ? "(root)" : parent;
}

// Whether there is to be a unit.
bool runs(const WorkspaceState& side) {
    return side.observed.place != Observed::Place::external &&
           side.workspace.spec.desired_state == DesiredState::running;
}

class Comparer {
  public:
    Comparer(const std::string& key, Instant now) : key_(key), now_(now) {}

    void made(const WorkspaceState& after) {
        out_.item.action = Step::create;
        out_.item.parent = after.workspace.spec.parent;
        if (!after.workspace.meta.annotation(crds::annotation::volumes_of).empty()) {
            out_.item.reasons.emplace_back("with the volumes that were kept when it was deleted");
        }
        hinder(after);
    }

    void changed(const WorkspaceState& before, const WorkspaceState& after,
                 const std::vector<PluginChange>& plugins) {
        Item& item = out_.item;
        item.parent = after.workspace.spec.parent;
        const bool moves = before.workspace.spec.parent != after.workspace.spec.parent;
        if (moves) item.old_parent = shown_parent(before.workspace.spec.parent);
        auto members = changed_members(json::document_of(before.workspace.spec),
                                       json::document_of(after.workspace.spec));
        item.action = unit_step(before, after);
        plugin_steps(before, after, plugins);
        if (item.action == Step::nothing) {
            std::erase(members, "parent");
            item.action = !members.empty() ? Step::update : moves ? Step::reparent : Step::nothing;
            if (!members.empty()) item.reasons.push_back("spec " + some_of(members));
        }
        if (after.workspace.spec.suspend && item.action > Step::reparent) {
            item.held = true;
            out_.blockers.push_back({"Workspace " + after.workspace.meta.name, "Suspended",
                                     "spec.suspend is true: its unit is left alone",
                                     "atelier resume ws " + after.workspace.meta.name});
        }
        hinder(after);
    }

    WorkspaceForecast take() { return std::move(out_); }

  private:
    Step unit_step(const WorkspaceState& before, const WorkspaceState& after) {
        std::vector<std::string>& reasons = out_.item.reasons;
        const bool ran = runs(before);
        const bool will = runs(after);
        if (!ran && !will) return Step::nothing;
        if (ran != will) {
            reasons.push_back(before.observed.backend != after.observed.backend
                                  ? fmt::format("backend {} -> {}", before.observed.backend,
                                                after.observed.backend)
                                  : fmt::format("desiredState {} -> {}",
                                                json::name_of(before.workspace.spec.desired_state),
                                                json::name_of(after.workspace.spec.desired_state)));
            return will ? Step::start : Step::stop;
        }
        auto gone = lost(before, after);
        const bool loses = !gone.empty();
        if (!after.observed.desired) {
            reasons = std::move(gone);
            return loses ? Step::recreate : Step::nothing;
        }
        if (before.observed.place == Observed::Place::missing &&
            after.observed.place == Observed::Place::here) {
            reasons.push_back(fmt::format("backend {} -> {}: there was none of that name",
                                          before.observed.backend, after.observed.backend));
            return Step::start;
        }
        if (before.workspace.spec.suspend && !after.workspace.spec.suspend) {
            return resumed(before, after, std::move(gone));
        }
        if (!before.observed.desired) {
            reasons.push_back(before.observed.refused
                                  ? "it could not run: " + before.observed.refused->message
                                  : "it could not run where it was");
            return Step::start;
        }
        if (before.observed.desired->spec_hash == after.observed.desired->spec_hash && !loses) {
            return Step::nothing;
        }
        // What is asked for may be what runs: a change that is taken back before it was made.
        const drivers::Unit* unit =
            reconcilers::workspace::own_unit(after.workspace, after.observed);
        const bool runs_so = unit && unit->state == drivers::Unit::State::running &&
                             reconcilers::workspace::difference(after.observed, *unit).empty();
        if (runs_so && !loses) return Step::nothing;
        reasons = std::move(gone);
        for (std::string& reason : reasons_of(before, after, key_)) {
            reasons.push_back(std::move(reason));
        }
        return loses ? Step::recreate : Step::restart;
    }

    // Whatever was asked for while it was suspended happens now.
    Step resumed(const WorkspaceState& before, const WorkspaceState& after,
                 std::vector<std::string> gone) {
        std::vector<std::string>& reasons = out_.item.reasons;
        const bool loses = !gone.empty();
        reasons = std::move(gone);
        const drivers::Unit* unit =
            reconcilers::workspace::own_unit(after.workspace, after.observed);
        if (!unit && after.observed.units.empty()) {
            reasons.emplace_back("it is resumed, and nothing runs");
            return loses ? Step::recreate : Step::start;
        }
        const std::string differs = unit ? reconcilers::workspace::difference(after.observed, *unit)
                                         : "the place of its unit changed";
        if (!differs.empty()) {
            reasons.push_back("it is resumed, and " + differs + " since its unit was made");
            if (before.observed.desired) {
                for (std::string& reason : reasons_of(before, after, key_)) {
                    reasons.push_back(std::move(reason));
                }
            }
            return loses ? Step::recreate : Step::restart;
        }
        if (loses) return Step::recreate;
        if (unit->state != drivers::Unit::State::exited) return Step::nothing;
        reasons.emplace_back("it is resumed, and its unit has ended");
        return Step::start;
    }

    // What keeps a plugin from being delivered; empty: nothing does.
    static std::string hindrance_of(const WorkspaceState& side, const std::string& plugin) {
        if (const auto denied = side.denied.find(plugin); denied != side.denied.end()) {
            return fmt::format("the PluginPolicy \"{}\" does not allow it", denied->second);
        }
        using State = reconcilers::workspace::WantedPlugin::State;
        for (const reconcilers::workspace::WantedPlugin& wanted : side.observed.plugins) {
            if (wanted.name != plugin) continue;
            if (wanted.state == State::missing) return "there is no Plugin of that name";
            if (wanted.state == State::unresolved) return "it is not resolved yet";
            if (wanted.state == State::failing) return wanted.problem;
        }
        return {};
    }

    // A plugin that comes, or goes after a cold delivery, takes a restart; a hot change does not.
    void plugin_steps(const WorkspaceState& before, const WorkspaceState& after,
                      const std::vector<PluginChange>& plugins) {
        if (!runs(after)) return;
        const auto has = [](const WorkspaceState& side, const std::string& name) {
            return listed(side, name) && !side.denied.contains(name);
        };
        for (const std::string& name : after.workspace.spec.plugins) {
            const std::string why_not = hindrance_of(after, name);
            if (has(before, name)) continue;
            if (why_not.empty()) {
                note(Step::restart, "plugin " + name + " comes");
            } else if (!listed(before, name)) {
                out_.blockers.push_back({"Workspace " + after.workspace.meta.name, "PluginWaits",
                                         fmt::format("plugin {} does not come: {}; when it does, "
                                                     "it takes a restart",
                                                     name, why_not),
                                         "", false});
            }
        }
        for (const std::string& name : before.workspace.spec.plugins) {
            if (has(after, name) || !has(before, name)) continue;
            const bool cold = std::any_of(before.observed.installs.begin(),
                                          before.observed.installs.end(), [&](const auto& install) {
                                              return install.spec.plugin == name &&
                                                     !install.status.restart_digest.empty();
                                          });
            note(cold ? Step::restart : Step::hot_reload, "plugin " + name + " goes");
        }
        for (const PluginChange& change : plugins) {
            const bool hot = change.change == crds::ChangeClass::hot;
            note(hot ? Step::hot_reload : Step::restart,
                 fmt::format("plugin {} changes ({})", change.plugin,
                             hot ? "only its skills" : "cold"));
        }
    }

    static bool listed(const WorkspaceState& side, const std::string& name) {
        const auto& all = side.workspace.spec.plugins;
        return std::find(all.begin(), all.end(), name) != all.end();
    }

    void note(Step step, std::string reason) {
        out_.item.action = std::max(out_.item.action, step);
        out_.item.reasons.push_back(std::move(reason));
    }

    // Nothing happens to its unit before that is out of the way.
    void hold() {
        const Step step = out_.item.action;
        const bool of_unit = step == Step::start || step == Step::restart || step == Step::recreate;
        if (of_unit) out_.item.held = true;
    }

    // What keeps its unit from being made, now or at all.
    void hinder(const WorkspaceState& after) {
        const std::string about = "Workspace " + after.workspace.meta.name;
        if (!runs(after)) return;
        if (after.observed.place == Observed::Place::missing) {
            out_.blockers.push_back({about, "BackendMissing", after.observed.problem, ""});
            hold();
        } else if (after.observed.place == Observed::Place::unknown) {
            Blocker blocker{about, "RuntimeUnreachable", after.observed.problem, ""};
            blocker.passing = true;
            out_.blockers.push_back(std::move(blocker));
        } else if (after.observed.refused) {
            out_.blockers.push_back({about, "Invalid", after.observed.refused->message, ""});
            hold();
        } else if (!after.observed.missing.empty()) {
            out_.blockers.push_back({about, "SecretsMissing",
                                     "it does not start without " + some_of(after.observed.missing),
                                     ""});
            hold();
        } else if (const auto next =
                       reconcilers::workspace::plan(after.workspace, after.observed, now_);
                   !next.waits_for.empty()) {
            Blocker blocker{about, "Waits", "it waits for " + next.waits_for, ""};
            blocker.blocks = false;
            blocker.passing = true;
            out_.blockers.push_back(std::move(blocker));
        }
    }

    const std::string& key_;
    const Instant now_;
    WorkspaceForecast out_;
};

}  // namespace

WorkspaceForecast forecast_workspace(const std::optional<WorkspaceState>& before,
                                     const std::optional<WorkspaceState>& after,
                                     const std::vector<PluginChange>& plugins,
                                     const std::string& key, Instant now) {
    Comparer forecast_workspace(key, now);
    const bool stood = before && !before->workspace.being_deleted();
    const bool stands = after && !after->workspace.being_deleted();
    if (!stood && stands) forecast_workspace.made(*after);
    if (stood && stands) forecast_workspace.changed(*before, *after, plugins);
    WorkspaceForecast out = forecast_workspace.take();
    if (stood && !stands) out.item.action = Step::remove;
    if (!after && !before) return out;
    const crds::Workspace& known = after ? after->workspace : before->workspace;
    out.item.kind = crds::WorkspaceSpec::kind;
    out.item.name = known.meta.name;
    out.item.org = known.spec.org;
    return out;
}

}  // namespace atelier::forecast
