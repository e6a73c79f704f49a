#include "tests/sim/laws.h"

#include <fmt/format.h>

#include <map>
#include <set>

#include "crds/deleted_workspace.h"
#include "crds/plugin.h"
#include "crds/plugin_install.h"
#include "crds/workspace.h"
#include "reconcilers/common/runtimes.h"

namespace atelier::sim {
namespace {

template <class T>
std::map<std::string, T> all(const store::Store& store) {
    std::map<std::string, T> out;
    const auto snapshot = store.list(T::Spec::resource);
    for (const auto& object : snapshot->objects) {
        auto decoded = crds::decode<T>(object->body);
        CHECK(decoded);
        out.emplace(object->key.name, *std::move(decoded));
    }
    return out;
}

std::string ready_text(const crds::StatusBase& status) {
    const auto* ready = status.find(crds::condition::ready);
    return ready ? ready->reason + ": " + ready->message : "no condition Ready";
}

}  // namespace

std::optional<std::string> Laws::workspaces() const {
    const auto workspaces = all<crds::Workspace>(*life_.kept_);
    const auto& nodes = life_.model_.nodes();
    for (const auto& [key, node] : nodes) {
        const std::string name = std::string(Life::org) + "-" + key;
        const auto it = workspaces.find(name);
        if (it == workspaces.end()) return "workspace " + name + " is missing";
        const crds::Workspace& w = it->second;
        const std::string parent =
            node.parent.empty() ? "" : std::string(Life::org) + "-" + node.parent;
        if (w.spec.parent != parent) return name + " has parent \"" + w.spec.parent + "\"";
        if (w.spec.model != node.model) return name + " has model " + w.spec.model;
        const std::set<std::string> plugins(w.spec.plugins.begin(), w.spec.plugins.end());
        if (plugins != node.plugins || plugins.size() != w.spec.plugins.size()) {
            return name + " has other plugins than declared";
        }
        if (!w.status.is_true(crds::condition::ready)) {
            return name + " is not Ready: " + ready_text(w.status);
        }
    }
    if (workspaces.size() != nodes.size()) {
        for (const auto& [name, w] : workspaces) {
            if (!nodes.contains(w.spec.workspace_key)) return name + " should be gone";
        }
        return "there are more workspaces than declared";
    }
    return std::nullopt;
}

std::optional<std::string> Laws::units() const {
    const auto workspaces = all<crds::Workspace>(*life_.kept_);
    std::map<std::string, int> of_uid;
    for (const auto& unit : life_.runtime_.all_units()) {
        const auto uid = unit.labels.find("atelier.dev/uid");
        if (uid == unit.labels.end()) continue;
        if (unit.state != drivers::Unit::State::running)
            return "unit " + unit.name + " does not run";
        ++of_uid[uid->second];
    }
    std::set<std::string> volumes{"ws-of-somebody-configs"};
    for (const auto& [name, w] : workspaces) {
        const int count = of_uid[w.meta.uid];
        if (count != 1) return fmt::format("{} has {} units", name, count);
        of_uid.erase(w.meta.uid);
        volumes.insert(reconcilers::configs_volume(crds::volumes_uid(w.meta)));
        volumes.insert(reconcilers::files_volume(crds::volumes_uid(w.meta)));
    }
    // By now whatever was kept has expired.
    const auto kept = all<crds::DeletedWorkspace>(*life_.kept_);
    if (!kept.empty()) return "DeletedWorkspace " + kept.begin()->first + " is left over";
    if (!of_uid.empty()) return "a unit of ours belongs to no workspace";
    for (const auto& volume : life_.runtime_.volume_names()) {
        if (!volumes.contains(volume)) return "volume " + volume + " is left over";
    }
    if (!life_.runtime_.untouched()) return "something that is not ours was touched";
    return std::nullopt;
}

std::optional<std::string> Laws::installs() const {
    const auto workspaces = all<crds::Workspace>(*life_.kept_);
    const auto installs = all<crds::PluginInstall>(*life_.kept_);
    const auto plugins = all<crds::Plugin>(*life_.kept_);
    std::size_t wanted = 0;
    for (const auto& [name, w] : workspaces) {
        const auto live = life_.folders_.live(w.meta.uid);
        if (live.size() != w.spec.plugins.size()) {
            return fmt::format("{} has {} plugins live, not {}", name, live.size(),
                               w.spec.plugins.size());
        }
        if (life_.folders_.leftovers(w.meta.uid) != 0) return name + " has leftovers of installs";
        for (const std::string& plugin : w.spec.plugins) {
            ++wanted;
            const auto install = installs.find(name + "." + plugin);
            if (install == installs.end()) return "install " + name + "." + plugin + " is missing";
            const auto& i = install->second;
            const auto digest = live.find(plugin);
            if (digest == live.end()) return plugin + " is not live in " + name;
            if (digest->second != i.spec.version.digest) {
                return fmt::format("{} in {} is {}, not {}", plugin, name,
                                   digest->second.substr(0, 7), i.spec.version.digest.substr(0, 7));
            }
            if (i.status.delivered != digest->second || i.status.loaded != digest->second) {
                return install->first + " does not report what is there";
            }
            const auto allowed = life_.allowed_.find(plugin);
            if (allowed == life_.allowed_.end() || !allowed->second.contains(digest->second)) {
                return plugin + " in " + name + " was approved by nobody";
            }
            const auto& p = plugins.at(plugin);
            if (!p.status.approved || p.status.approved->digest != digest->second) {
                return fmt::format(
                    "{} is {}, but {} is approved", install->first, digest->second.substr(0, 7),
                    p.status.approved ? p.status.approved->digest.substr(0, 7) : "nothing");
            }
        }
    }
    if (installs.size() != wanted) return "there are more installs than wanted";
    return std::nullopt;
}

std::optional<std::string> Laws::converged() const {
    if (auto wrong = workspaces()) return wrong;
    if (auto wrong = units()) return wrong;
    return installs();
}

std::optional<std::string> Laws::rested() const {
    static const std::set<std::string> reads{"list", "image", "volumes", "capabilities"};
    for (const std::string& call : life_.runtime_.calls()) {
        const std::string verb = call.substr(0, call.find(' '));
        if (!reads.contains(verb)) return "at rest it called " + call;
    }
    const auto folder_calls = life_.folders_.calls();
    if (!folder_calls.empty()) return "at rest it called " + folder_calls.front();
    return std::nullopt;
}

}  // namespace atelier::sim
