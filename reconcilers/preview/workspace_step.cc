#include "reconcilers/preview/workspace_step.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/digest.h"
#include "base/text.h"
#include "crds/deleted_workspace.h"
#include "reconcilers/fingerprint.h"

namespace atelier::reconcilers::preview {
namespace {

using crds::DesiredState;
using crds::Workspace;
using workspace::Seen;

constexpr std::size_t most_named = 20;

std::string some_of(const std::vector<std::string>& all) {
    std::vector<std::string> first(
        all.begin(), all.begin() + static_cast<std::ptrdiff_t>(std::min(all.size(), most_named)));
    std::string text = join(first, ", ");
    if (all.size() > most_named) text += fmt::format(" and {} more", all.size() - most_named);
    return text;
}

std::string shown(const std::string& text) {
    return text.empty() ? "(none)" : text;
}
std::string shown_parent(const std::string& parent) {
    return parent.empty() ? "(root)" : parent;
}

// Whether there is to be a unit.
bool runs(const Side& side) {
    return side.seen.place != Seen::Place::external &&
           side.workspace.spec.desired_state == DesiredState::running;
}

std::map<std::string, std::string> files_of(const crds::WorkspaceSpec& spec) {
    std::map<std::string, std::string> files;
    for (const crds::WorkspaceFile& file : spec.files) {
        files[file.path] = (file.executable ? "x" : "-") +
                           (file.artifact ? file.sha256 : sha256_hex(file.content));
    }
    return files;
}

// "M config.yaml", "A prompts/x.md", "D old.md"
std::vector<std::string> changed_files(const Workspace& before, const Workspace& after) {
    const auto was = files_of(before.spec);
    const auto is = files_of(after.spec);
    std::vector<std::string> changed;
    for (const auto& [path, digest] : is) {
        const auto old = was.find(path);
        if (old == was.end()) changed.push_back("A " + path);
        if (old != was.end() && old->second != digest) changed.push_back("M " + path);
    }
    for (const auto& [path, digest] : was) {
        if (!is.contains(path)) changed.push_back("D " + path);
    }
    return changed;
}

std::string setting(std::string_view name, const std::string& before, const std::string& after) {
    return before == after ? std::string()
                           : fmt::format("{} {} -> {}", name, shown(before), shown(after));
}

std::string changed_settings(const Side& before, const Side& after) {
    const auto& a = before.workspace.spec;
    const auto& b = after.workspace.spec;
    std::vector<std::string> parts = {
        setting("tier", std::to_string(a.tier), std::to_string(b.tier)),
        setting("workspaceDir", a.workspace_dir, b.workspace_dir),
        setting("workspaceAccess", std::string(json::name_of(a.workspace_access)),
                std::string(json::name_of(b.workspace_access)))};
    std::erase(parts, "");
    return parts.empty() ? "settings of its unit" : "settings " + join(parts, ", ");
}

// Why the unit is made anew, part by part.
std::vector<std::string> reasons_of(const Side& before, const Side& after, const std::string& key) {
    const workspace::Desired& was = *before.seen.desired;
    const workspace::Desired& is = *after.seen.desired;
    std::vector<std::string> reasons;
    for (const std::string& part : workspace::changed_parts(was.spec_hash, is.spec_hash)) {
        if (part == "image") {
            reasons.push_back(
                fmt::format("image {} -> {}", shown(was.unit.image), shown(is.unit.image)));
        } else if (part == "env") {
            reasons.push_back("env " + some_of(differences(was.unit.env, is.unit.env, key)));
        } else if (part == "files") {
            reasons.push_back("files " + some_of(changed_files(before.workspace, after.workspace)));
        } else if (part == "command") {
            reasons.push_back("command " + shown(join(before.workspace.spec.command, " ")) +
                              " -> " + shown(join(after.workspace.spec.command, " ")));
        } else {
            reasons.push_back(changed_settings(before, after));
        }
    }
    return reasons;
}

// What the new unit would no longer have.
std::vector<std::string> lost(const Side& before, const Side& after) {
    std::vector<std::string> out;
    if (before.seen.backend != after.seen.backend) {
        out.push_back(fmt::format("backend {} -> {}: it begins there without its files",
                                  before.seen.backend, after.seen.backend));
        return out;
    }
    if (!before.seen.desired || !after.seen.desired) return out;
    const auto& mounts = after.seen.desired->unit.mounts;
    for (const drivers::Mount& mount : before.seen.desired->unit.mounts) {
        if (mount.kind != drivers::Mount::Kind::volume) continue;
        const bool kept = std::any_of(mounts.begin(), mounts.end(), [&](const auto& other) {
            return other.kind == mount.kind && other.source == mount.source;
        });
        if (!kept) {
            out.push_back(
                fmt::format("{} is no longer what it was: its volume is put aside", mount.target));
        }
    }
    return out;
}

class Judge {
  public:
    Judge(const std::string& key, Instant now) : key_(key), now_(now) {}

    void made(const Side& after) {
        out_.item.action = Step::create;
        out_.item.parent = after.workspace.spec.parent;
        if (!after.workspace.meta.annotation(crds::annotation::volumes_of).empty()) {
            out_.item.reasons.emplace_back("with the volumes that were kept when it was deleted");
        }
        hinder(after);
    }

    void changed(const Side& before, const Side& after, const std::vector<PluginChange>& plugins) {
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

    Judged take() { return std::move(out_); }

  private:
    Step unit_step(const Side& before, const Side& after) {
        std::vector<std::string>& reasons = out_.item.reasons;
        const bool ran = runs(before);
        const bool will = runs(after);
        if (!ran && !will) return Step::nothing;
        if (ran != will) {
            reasons.push_back(
                before.seen.backend != after.seen.backend
                    ? fmt::format("backend {} -> {}", before.seen.backend, after.seen.backend)
                    : fmt::format("desiredState {} -> {}",
                                  json::name_of(before.workspace.spec.desired_state),
                                  json::name_of(after.workspace.spec.desired_state)));
            return will ? Step::start : Step::stop;
        }
        auto gone = lost(before, after);
        const bool loses = !gone.empty();
        if (!after.seen.desired) {
            reasons = std::move(gone);
            return loses ? Step::recreate : Step::nothing;
        }
        if (before.seen.place == Seen::Place::missing && after.seen.place == Seen::Place::here) {
            reasons.push_back(fmt::format("backend {} -> {}: there was none of that name",
                                          before.seen.backend, after.seen.backend));
            return Step::start;
        }
        if (before.workspace.spec.suspend && !after.workspace.spec.suspend) {
            return resumed(before, after, std::move(gone));
        }
        if (!before.seen.desired) {
            reasons.push_back(before.seen.refused
                                  ? "it could not run: " + before.seen.refused->message
                                  : "it could not run where it was");
            return Step::start;
        }
        if (before.seen.desired->spec_hash == after.seen.desired->spec_hash && !loses) {
            return Step::nothing;
        }
        // What is asked for may be what runs: a change that is taken back before it was made.
        const drivers::Unit* unit = workspace::own_unit(after.workspace, after.seen);
        const bool runs_so = unit && unit->state == drivers::Unit::State::running &&
                             workspace::difference(after.seen, *unit).empty();
        if (runs_so && !loses) return Step::nothing;
        reasons = std::move(gone);
        for (std::string& reason : reasons_of(before, after, key_)) {
            reasons.push_back(std::move(reason));
        }
        return loses ? Step::recreate : Step::restart;
    }

    // Whatever was asked for while it was suspended happens now.
    Step resumed(const Side& before, const Side& after, std::vector<std::string> gone) {
        std::vector<std::string>& reasons = out_.item.reasons;
        const bool loses = !gone.empty();
        reasons = std::move(gone);
        const drivers::Unit* unit = workspace::own_unit(after.workspace, after.seen);
        if (!unit && after.seen.units.empty()) {
            reasons.emplace_back("it is resumed, and nothing runs");
            return loses ? Step::recreate : Step::start;
        }
        const std::string differs =
            unit ? workspace::difference(after.seen, *unit) : "the place of its unit changed";
        if (!differs.empty()) {
            reasons.push_back("it is resumed, and " + differs + " since its unit was made");
            if (before.seen.desired) {
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
    static std::string hindrance_of(const Side& side, const std::string& plugin) {
        if (const auto denied = side.denied.find(plugin); denied != side.denied.end()) {
            return fmt::format("the PluginPolicy \"{}\" does not allow it", denied->second);
        }
        using State = workspace::WantedPlugin::State;
        for (const workspace::WantedPlugin& wanted : side.seen.plugins) {
            if (wanted.name != plugin) continue;
            if (wanted.state == State::missing) return "there is no Plugin of that name";
            if (wanted.state == State::unresolved) return "it is not resolved yet";
            if (wanted.state == State::failing) return wanted.problem;
        }
        return {};
    }

    // A plugin that comes, or goes after a cold delivery, takes a restart; a hot change does not.
    void plugin_steps(const Side& before, const Side& after,
                      const std::vector<PluginChange>& plugins) {
        if (!runs(after)) return;
        const auto has = [](const Side& side, const std::string& name) {
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
            const bool cold = std::any_of(
                before.seen.installs.begin(), before.seen.installs.end(), [&](const auto& install) {
                    return install.spec.plugin == name && !install.status.restart_digest.empty();
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

    static bool listed(const Side& side, const std::string& name) {
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
    void hinder(const Side& after) {
        const std::string about = "Workspace " + after.workspace.meta.name;
        if (!runs(after)) return;
        if (after.seen.place == Seen::Place::missing) {
            out_.blockers.push_back({about, "BackendMissing", after.seen.problem, ""});
            hold();
        } else if (after.seen.place == Seen::Place::unknown) {
            Blocker blocker{about, "RuntimeUnreachable", after.seen.problem, ""};
            blocker.passing = true;
            out_.blockers.push_back(std::move(blocker));
        } else if (after.seen.refused) {
            out_.blockers.push_back({about, "Invalid", after.seen.refused->message, ""});
            hold();
        } else if (!after.seen.missing.empty()) {
            out_.blockers.push_back({about, "SecretsMissing",
                                     "it does not start without " + some_of(after.seen.missing),
                                     ""});
            hold();
        } else if (const auto next = workspace::plan(after.workspace, after.seen, now_);
                   !next.waits_for.empty()) {
            Blocker blocker{about, "Waits", "it waits for " + next.waits_for, ""};
            blocker.blocks = false;
            blocker.passing = true;
            out_.blockers.push_back(std::move(blocker));
        }
    }

    const std::string& key_;
    const Instant now_;
    Judged out_;
};

}  // namespace

std::vector<std::string> differences(const std::map<std::string, std::string>& before,
                                     const std::map<std::string, std::string>& after,
                                     const std::string& key) {
    std::vector<std::string> out;
    for (const auto& [name, value] : after) {
        const auto old = before.find(name);
        if (old == before.end()) {
            out.push_back(fmt::format("{} added ({})", name, fingerprint(key, value)));
        } else if (old->second != value) {
            out.push_back(fmt::format("{} changed ({} -> {})", name, fingerprint(key, old->second),
                                      fingerprint(key, value)));
        }
    }
    for (const auto& [name, value] : before) {
        if (!after.contains(name)) out.push_back(name + " removed");
    }
    return out;
}

std::vector<std::string> changed_members(const json::Value& before, const json::Value& after) {
    std::set<std::string> names;
    for (const json::Value* side : {&before, &after}) {
        if (!side->IsObject()) continue;
        for (const auto& member : side->GetObject()) names.emplace(json::view(member.name));
    }
    std::vector<std::string> changed;
    for (const std::string& name : names) {
        const json::Value* a = before.IsObject() ? json::find(before, {name}) : nullptr;
        const json::Value* b = after.IsObject() ? json::find(after, {name}) : nullptr;
        if (!a || !b || *a != *b) changed.push_back(name);
    }
    return changed;
}

Judged judge(const std::optional<Side>& before, const std::optional<Side>& after,
             const std::vector<PluginChange>& plugins, const std::string& key, Instant now) {
    Judge judge(key, now);
    const bool stood = before && !before->workspace.being_deleted();
    const bool stands = after && !after->workspace.being_deleted();
    if (!stood && stands) judge.made(*after);
    if (stood && stands) judge.changed(*before, *after, plugins);
    Judged out = judge.take();
    if (stood && !stands) out.item.action = Step::remove;
    if (!after && !before) return out;
    const crds::Workspace& known = after ? after->workspace : before->workspace;
    out.item.kind = crds::WorkspaceSpec::kind;
    out.item.name = known.meta.name;
    out.item.org = known.spec.org;
    return out;
}

}  // namespace atelier::reconcilers::preview
