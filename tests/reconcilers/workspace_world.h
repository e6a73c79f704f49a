// A server's world in memory for the tests of Workspace and PluginInstall: real objects, rules and
// store; a fake runtime, fake plugins folders and a tree store in memory.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "base/digest.h"
#include "base/json.h"
#include "base/metrics.h"
#include "crds/kind.h"
#include "crds/plugin.h"
#include "crds/plugin_policy.h"
#include "reconcilers/plugin_install/reconciler.h"
#include "reconcilers/workspace/reconciler.h"
#include "store/open.h"
#include "tests/fakes/fake_plugin_folder.h"
#include "tests/fakes/fake_runtime.h"
#include "tests/fakes/memory_tree_store.h"

namespace atelier::reconcilers {

class ManualClock final : public Clock {
  public:
    Instant now() const override { return now_; }
    void set(Instant now) { now_ = now; }
    void advance(Duration by) { now_ += by; }

  private:
    Instant now_ = *parse_rfc3339("2026-05-08T12:00:00Z");
};

struct Crash {};  // thrown to stand for the end of the process

class TestWorld {
  public:
    TestWorld() : TestWorld(nullptr, nullptr) {}
    // With a real runtime and real folders in the places of the fakes.
    TestWorld(drivers::Runtime* real_runtime, drivers::PluginFolders* real_folders)
        : kinds(all_kinds()), runtime(clock) {
        runtime.add_image("agent:1");
        runtime.add_image("agent:2");
        store::Options options;
        options.url = "memory:";
        options.commit_inline = true;
        auto opened = store::open(options, clock, random, metrics, Log());
        EXPECT_TRUE(opened);
        store = std::move(*opened);
        objects = std::make_unique<Objects>(*store, kinds, random, Log());
        drivers::PluginFolders* used = real_folders ? real_folders : &folders;
        runtimes = std::make_unique<Runtimes>(
            Runtimes{.by_backend = {{"docker", real_runtime ? real_runtime : &runtime}},
                     .default_backend = "docker",
                     .folders = *used,
                     .trees = trees,
                     .random = random,
                     .metrics = metrics,
                     .instance = "i1",
                     .network = "net",
                     .images = {{"langgraph", "agent:1"}}});
        runtime.on_start([this](const drivers::UnitSpec& unit, const std::string&) {
            if (agents) load(unit.labels.at("atelier.dev/uid"));
        });
        folders.on_change([this](const std::string& changed) {
            const auto unit = runtime.unit(unit_name(changed));
            if (agents && unit && unit->state == drivers::Unit::State::running) load(changed);
        });
    }

    // The agent of a workspace reads its plugins and says so.
    void load(const std::string& uid) { folders.report(uid, folders.report_of_live(uid)); }

    // --- declaring

    crds::Workspace workspace(const std::string& name,
                              const std::function<void(crds::WorkspaceSpec&)>& how = {}) {
        crds::Meta meta;
        meta.name = name;
        meta.ns = "default";
        crds::WorkspaceSpec spec;
        if (how) how(spec);
        auto made = objects->create<crds::Workspace>(meta, spec, clock.now());
        EXPECT_TRUE(made) << made.error().message;
        return *made;
    }
    void change(const std::string& name, const std::function<void(crds::WorkspaceSpec&)>& how) {
        auto object = get<crds::Workspace>(name);
        how(object.spec);
        const auto updated = objects->update(object, clock.now());
        EXPECT_TRUE(updated) << updated.error().message;
    }
    // A plugin whose approved version is this tree.
    std::string plugin(const std::string& name, const drivers::Tree& tree,
                       const std::vector<std::string>& of_runtimes = {}) {
        auto object = objects->find<crds::Plugin>("default", name);
        EXPECT_TRUE(object);
        if (!*object) {
            crds::Meta meta;
            meta.name = name;
            meta.ns = "default";
            crds::PluginSpec spec;
            spec.source = "local://" + name;
            const auto made = objects->create<crds::Plugin>(meta, spec, clock.now());
            EXPECT_TRUE(made) << made.error().message;
            object = std::optional(*made);
        }
        const std::string digest = *trees.put(tree);
        crds::PluginStatus status = (*object)->status;
        status.approved = crds::PluginVersion{std::string(40, 'a'), digest, "main"};
        status.capabilities.runtimes = of_runtimes;
        EXPECT_TRUE(objects->report(**object, status, clock.now()));
        return digest;
    }
    // As an approved update does, when it reaches the install.
    void set_version(const std::string& install, const std::string& digest) {
        auto object = get<crds::PluginInstall>(install);
        object.spec.version.digest = digest;
        EXPECT_TRUE(objects->update(object, clock.now()));
    }
    template <class T>
    T get(const std::string& name) {
        auto found = objects->find<T>("default", name);
        EXPECT_TRUE(found && *found) << name;
        return found && *found ? **found : T();
    }
    template <class T>
    bool exists(const std::string& name) {
        return (*objects->find<T>("default", name)).has_value();
    }
    template <class T>
    void remove(const std::string& name) {
        EXPECT_TRUE(objects->remove(get<T>(name), clock.now()));
    }

    // --- reconciling

    // Every key once; false when an error or a crash came.
    bool round() {
        bool fine = true;
        WorkspaceReconciler workspaces(*objects, *runtimes, Log());
        PluginInstallReconciler installs(*objects, *runtimes, Log());
        wake_at.reset();
        const auto once = [&](Reconciler& reconciler) {
            const auto snapshot = store->list(reconciler.resource());
            for (const auto& object : snapshot->objects) {
                try {
                    const auto outcome = reconciler.reconcile(object->key, clock.now());
                    if (!outcome) last_error = outcome.error().message;
                    fine = fine && outcome;
                    if (outcome && outcome->wake_at && (!wake_at || *outcome->wake_at < *wake_at)) {
                        wake_at = outcome->wake_at;
                    }
                } catch (const Crash&) {
                    fine = false;
                }
            }
        };
        once(workspaces);
        once(installs);
        return fine;
    }
    // Until nothing is written any more; errors are tried again, as controllers do.
    void settle() {
        for (int i = 0; i < 40; ++i) {
            const Revision before = store->revision();
            if (round() && store->revision() == before) return;
        }
        FAIL() << "it does not come to rest: " << last_error;
    }
    // What a round changes in the world: nothing, once it rests.
    std::vector<std::string> calls_of_a_round() {
        runtime.clear_calls();
        folders.clear_calls();
        EXPECT_TRUE(round()) << last_error;
        std::vector<std::string> calls = runtime.calls();
        for (const std::string& call : folders.calls()) calls.push_back(call);
        std::erase_if(calls, [](const std::string& call) { return call.starts_with("list"); });
        return calls;
    }

    std::string condition(const std::string& workspace_name, std::string_view type) {
        return text_of(get<crds::Workspace>(workspace_name).status, type);
    }
    static std::string text_of(const crds::StatusBase& status, std::string_view type) {
        const crds::Condition* c = status.find(type);
        return c ? std::string(json::name_of(c->status)) + " " + c->reason : "";
    }
    // How many events of that reason there are, repeated ones counted once.
    std::int64_t count_events(std::string_view reason) const {
        const auto events = store->list("events");
        return std::count_if(events->objects.begin(), events->objects.end(),
                             [&](const auto& event) {
                                 const auto body = json::parse(event->body);
                                 return body && json::string_at(*body, {"reason"}) == reason;
                             });
    }
    std::optional<drivers::Unit> unit(const std::string& workspace_name) {
        return runtime.unit(unit_name(get<crds::Workspace>(workspace_name).meta.uid));
    }
    std::string uid(const std::string& workspace_name) {
        return get<crds::Workspace>(workspace_name).meta.uid;
    }

    ManualClock clock;
    SeededRandom random{7};
    Metrics metrics;
    const crds::Kinds& kinds;
    std::unique_ptr<store::Store> store;
    std::unique_ptr<Objects> objects;
    fakes::FakeRuntime runtime;
    fakes::FakePluginFolders folders;
    fakes::MemoryTreeStore trees;
    std::unique_ptr<Runtimes> runtimes;
    bool agents = true;  // units hold our agent
    std::optional<Instant> wake_at;
    std::string last_error;

  private:
    // Reading the CRDs takes longer than most tests: once for all of them.
    static const crds::Kinds& all_kinds() {
        static const crds::Kinds kinds = [] {
            auto made = crds::atelier_kinds();
            EXPECT_TRUE(made) << made.error().message;
            crds::add_core_kinds(*made);
            return std::move(*made);
        }();
        return kinds;
    }
};

inline drivers::Tree plugin_tree(const std::string& rules, const std::string& skill = "s") {
    return {{"plugin.yaml", {drivers::File::Kind::regular, false, "name: p\n"}},
            {"rules/r.md", {drivers::File::Kind::regular, false, rules}},
            {"skills/a/SKILL.md", {drivers::File::Kind::regular, false, skill}}};
}

}  // namespace atelier::reconcilers
