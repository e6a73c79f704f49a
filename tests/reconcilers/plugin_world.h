// A small world for Plugin and PluginUpdate: a store in memory whose writes may fail, a remote and
// trees in memory, both reconcilers, and a stand-in for those who deliver installs.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/metrics.h"
#include "crds/kind.h"
#include "crds/plugin_install.h"
#include "crds/workspace.h"
#include "reconcilers/common/objects.h"
#include "reconcilers/plugin/reconciler.h"
#include "reconcilers/plugin_update/reconciler.h"
#include "store/open.h"
#include "tests/fakes/fake_git.h"
#include "tests/fakes/faulty_store.h"
#include "tests/fakes/memory_tree_store.h"

namespace atelier::reconcilers {

class PluginWorld {
  public:
    static constexpr const char* url = "http://git.example/reviewer.git";

    explicit PluginWorld(plugin::Options options = {})
        : plugins(objects, git, trees, std::move(options)) {}

    // Upstream.
    std::string push(std::initializer_list<std::pair<const char*, const char*>> files) {
        drivers::Tree tree;
        for (const auto& [path, bytes] : files) tree[path].bytes = bytes;
        return git.commit(url, tree);
    }
    std::string push_skill(const char* text) {
        return push({{"plugin.yaml", "name: reviewer\nversion: 1.0.0\n"},
                     {"skills/review/SKILL.md", text}});
    }
    std::string push_hook(const char* text) {
        return push({{"plugin.yaml", "name: reviewer\nversion: 2.0.0\n"},
                     {"skills/review/SKILL.md", "a"},
                     {"hooks/pre.sh", text}});
    }

    crds::Plugin make_plugin(const std::string& track = "branch:main",
                             const std::function<void(crds::PluginSpec&)>& change = {}) {
        crds::PluginSpec spec;
        spec.source = std::string("git+") + url;
        spec.track = track;
        spec.interval = std::chrono::minutes(10);
        if (change) change(spec);
        return make<crds::Plugin>("reviewer", spec);
    }
    template <class T>
    T make(const std::string& name, const typename T::Spec& spec) {
        crds::Meta meta;
        meta.name = name;
        if (T::Spec::resource != crds::UpdateTierSpec::resource) meta.ns = "default";
        auto made = objects.create<T>(meta, spec, now);
        CHECK(made);
        return *made;
    }
    // A workspace that runs, with the approved version of the plugin delivered and loaded.
    void make_member(const std::string& name, const std::string& tier) {
        crds::WorkspaceSpec spec;
        spec.workspace_key = name;
        spec.display_name = name;
        spec.update_tier = tier;
        spec.plugins = {"reviewer"};
        make<crds::Workspace>(name, spec);
        set_ready(name, true);
        crds::PluginInstallSpec install;
        install.workspace = name;
        install.plugin = "reviewer";
        install.version = *plugin().status.approved;
        make<crds::PluginInstall>(name + ".reviewer", install);
        deliver(name);
    }

    template <class T>
    T read(const std::string& name) {
        const std::string ns = T::Spec::resource == crds::UpdateTierSpec::resource ? "" : "default";
        const auto found = objects.find<T>(ns, name);
        CHECK(found && *found);
        return **found;
    }
    crds::Plugin plugin() { return read<crds::Plugin>("reviewer"); }
    std::vector<crds::PluginUpdate> updates() {
        auto found = objects.list<crds::PluginUpdate>("default");
        CHECK(found);
        return *found;
    }
    template <class T>
    void change(const std::string& name, const std::function<void(T&)>& how) {
        // A person whose write fails tries again.
        for (int attempt = 0; attempt < 3; ++attempt) {
            T object = read<T>(name);
            how(object);
            if (objects.update(object, now)) return;
        }
        ADD_FAILURE() << name << " cannot be written";
    }
    void decide(const std::string& update, crds::Decision decision) {
        change<crds::PluginUpdate>(update,
                                   [&](crds::PluginUpdate& u) { u.spec.decision = decision; });
    }

    // What the Workspace's and the PluginInstall's reconcilers would do.
    void set_ready(const std::string& workspace, bool ready) {
        const auto object = read<crds::Workspace>(workspace);
        auto status = object.status;
        status.set({"Ready", ready ? crds::ConditionStatus::yes : crds::ConditionStatus::no, "Test",
                    "", std::nullopt, object.meta.generation},
                   now);
        CHECK(objects.report(object, status, now));
    }
    void deliver(const std::string& workspace) {
        const auto object = read<crds::PluginInstall>(workspace + ".reviewer");
        auto status = object.status;
        status.observed_generation = object.meta.generation;
        status.desired = status.delivered = status.loaded = object.spec.version.digest;
        status.delivered_at = now;
        status.set({"Effective", crds::ConditionStatus::yes, "Loaded", "", std::nullopt,
                    object.meta.generation},
                   now);
        CHECK(objects.report(object, status, now));
    }
    // Workspaces that have got a version that is not delivered yet, sorted.
    std::string undelivered() {
        std::string out;
        auto installs = objects.list<crds::PluginInstall>("default");
        CHECK(installs);
        for (const auto& install : *installs) {
            if (install.spec.version.digest == install.status.delivered) continue;
            out += (out.empty() ? "" : " ") + install.spec.workspace;
        }
        return out;
    }

    Result<Outcome> reconcile_plugin() {
        return plugins.reconcile({"plugins.atelier.dev", "default", "reviewer"}, now);
    }
    // One turn of every key; false when one failed.
    bool turn() {
        bool fine = true;
        for (Reconciler* reconciler :
             {static_cast<Reconciler*>(&plugins), static_cast<Reconciler*>(&plugin_updates)}) {
            const auto snapshot = store.list(reconciler->resource());
            for (const auto& object : snapshot->objects) {
                fine = static_cast<bool>(reconciler->reconcile(object->key, now)) && fine;
            }
        }
        return fine;
    }
    // Turns until one writes nothing and fails nowhere.
    void settle() {
        for (int i = 0; i < 20; ++i) {
            const Revision before = store.revision();
            if (turn() && store.revision() == before) return;
        }
        FAIL() << "it does not come to rest";
    }
    void pass(Duration time) { now += time; }

    Instant now = Instant(std::chrono::hours(24 * 365 * 55));
    SystemClock clock;
    SeededRandom random{7};
    Metrics metrics;
    crds::Kinds kinds = [] {
        auto made = crds::atelier_kinds();
        CHECK(made);
        crds::add_core_kinds(*made);
        return std::move(*made);
    }();
    std::unique_ptr<store::Store> memory = [this] {
        auto opened = store::open({.url = "memory:", .encryption_key = "", .commit_inline = true},
                                  clock, random, metrics, Log());
        CHECK(opened);
        return *std::move(opened);
    }();
    fakes::FaultyStore store{*memory};
    fakes::FakeGit git;
    fakes::MemoryTreeStore trees;
    Objects objects{store, kinds, random, Log()};
    PluginReconciler plugins;
    PluginUpdateReconciler plugin_updates{objects, trees};
};

}  // namespace atelier::reconcilers
