// Which Workspaces are reconciled because of what happens in a runtime, with fakes of runtimes.
#include "cmd/runtime_watch.h"

#include <gtest/gtest.h>

#include "reconcilers/common/objects.h"
#include "reconcilers/workspace/reconciler.h"
#include "store/open.h"
#include "tests/fakes/fake_plugin_folder.h"
#include "tests/fakes/fake_runtime.h"
#include "tests/fakes/memory_tree_store.h"

namespace atelier::cmd {
namespace {

using std::chrono::milliseconds;

class HandClock final : public Clock {
  public:
    Instant now() const override { return Instant(Duration(now_.load())); }
    void advance(Duration by) { now_ += by.count(); }

  private:
    std::atomic<Duration::rep> now_ = 1'000'000'000;
};

drivers::UnitSpec unit_of(const std::string& name, const std::string& workspace) {
    drivers::UnitSpec spec;
    spec.name = name;
    spec.image = "i";
    spec.labels = {{"atelier.dev/managed", "true"},
                   {"atelier.dev/instance", "here"},
                   {"atelier.dev/uid", "uid-of-" + workspace},
                   {"atelier.dev/namespace", "default"},
                   {"atelier.dev/name", workspace}};
    return spec;
}

class RuntimeWatchTest : public testing::Test {
  protected:
    RuntimeWatchTest() {
        auto fake = std::make_unique<fakes::FakeRuntime>(clock);
        runtime = fake.get();
        runtime->add_image("i");
        runtime->drop_events(true);  // only lists are to be seen here
        runtimes.by_name["docker"] = std::move(fake);
        runtimes.default_backend = "docker";
    }
    void watch() {
        RuntimeWatch::Options options{.having = {{"atelier.dev/instance", "here"}},
                                      .ping_every = milliseconds(1),
                                      .resync = std::chrono::minutes(10)};
        RuntimeWatch::Hints hints{[this](const Key& key) {
                                      const std::lock_guard lock(mutex);
                                      hinted.push_back(key.name);
                                      changed.notify_all();
                                  },
                                  [this] {
                                      const std::lock_guard lock(mutex);
                                      hinted.push_back("all");
                                      changed.notify_all();
                                  }};
        watching =
            std::make_unique<RuntimeWatch>(runtimes, options, std::move(hints), clock, Log());
    }
    void make_unit(const std::string& workspace) {
        const auto id = runtime->create(unit_of("ws-" + workspace, workspace));
        ASSERT_TRUE(id);
        ASSERT_TRUE(runtime->start(*id));
    }
    // Waits until the keys hinted since the last call of this hold these, in any order.
    bool hears(std::vector<std::string> wanted) {
        std::unique_lock lock(mutex);
        return changed.wait_for(lock, std::chrono::seconds(60), [&] {
            std::vector<std::string> left = hinted;
            for (const std::string& name : wanted) {
                const auto at = std::find(left.begin(), left.end(), name);
                if (at == left.end()) return false;
                left.erase(at);
            }
            hinted.clear();
            return true;
        });
    }
    std::vector<std::string> heard() {
        const std::lock_guard lock(mutex);
        return std::exchange(hinted, {});
    }
    // Returns after the runtime was asked twice more: what the first look led to is done then.
    void let_it_look() {
        const std::size_t before = runtime->count("ping");
        for (int i = 0; i < 60'000 && runtime->count("ping") < before + 2; ++i) {
            std::this_thread::sleep_for(milliseconds(1));
        }
        ASSERT_GE(runtime->count("ping"), before + 2);
    }

    HandClock clock;
    OwnedRuntimes runtimes;
    fakes::FakeRuntime* runtime = nullptr;
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<std::string> hinted;         // guarded by mutex
    std::unique_ptr<RuntimeWatch> watching;  // last: its threads use all of these
};

TEST_F(RuntimeWatchTest, AtTheStartAllUnitsOfThisServerAreLookedAt) {
    make_unit("left");
    make_unit("kept");
    auto other = unit_of("ws-other", "other");
    other.labels["atelier.dev/instance"] = "there";
    runtime->add_foreign_unit(other, true);
    watch();
    EXPECT_TRUE(hears({"kept", "left"}));
    let_it_look();
    EXPECT_EQ(heard(), std::vector<std::string>()) << "only when something may have been missed";
    EXPECT_TRUE(watching->health("docker"));
}

TEST_F(RuntimeWatchTest, AtEveryResyncTheyAreLookedAtAgain) {
    make_unit("left");
    watch();
    EXPECT_TRUE(hears({"left"}));
    let_it_look();
    heard();
    clock.advance(std::chrono::minutes(9));
    let_it_look();
    EXPECT_EQ(heard(), std::vector<std::string>());
    clock.advance(std::chrono::minutes(1));
    EXPECT_TRUE(hears({"left"}));
}

TEST_F(RuntimeWatchTest, ARuntimeThatComesBackIsReadAnew) {
    make_unit("left");
    watch();
    EXPECT_TRUE(hears({"left"}));
    runtime->set_weather(fakes::FakeRuntime::Weather::away);
    let_it_look();
    EXPECT_EQ(watching->health("docker").error().code, Code::unavailable);
    heard();
    runtime->set_weather(fakes::FakeRuntime::Weather::fair);
    EXPECT_TRUE(hears({"left"}));
}

TEST_F(RuntimeWatchTest, BrokenEventsAreMadeUpForByAList) {
    make_unit("left");
    watch();
    EXPECT_TRUE(hears({"left"}));
    let_it_look();
    heard();
    // Broken again and again, for events() may not have been called yet.
    bool heard_of_it = false;
    for (int i = 0; i < 100 && !heard_of_it; ++i) {
        runtime->break_events();
        std::unique_lock lock(mutex);
        heard_of_it = changed.wait_for(lock, milliseconds(600), [&] {
            return std::count(hinted.begin(), hinted.end(), "all") > 0 &&
                   std::count(hinted.begin(), hinted.end(), "left") > 0;
        });
    }
    EXPECT_TRUE(heard_of_it);
}

// Scenario 40: what was left behind while nobody looked goes; the volumes, which hold work, stay.
TEST_F(RuntimeWatchTest, Scenario40_AUnitWhoseWorkspaceIsGoneIsReaped) {
    make_unit("left");
    make_unit("kept");
    ASSERT_TRUE(runtime->ensure_volume("ws-left-workspace", unit_of("", "left").labels));
    drivers::UnitSpec foreign;
    foreign.name = "ws-000000000000";
    foreign.image = "i";
    runtime->add_foreign_unit(foreign, true);
    watch();
    EXPECT_TRUE(hears({"kept", "left"}));

    SeededRandom random(1);
    Metrics metrics;
    auto store = *store::open({.url = "memory:"}, clock, random, metrics, Log());
    auto kinds = *crds::atelier_kinds();
    crds::add_core_kinds(kinds);
    reconcilers::Objects objects(*store, kinds, random, Log());
    fakes::FakePluginFolders folders;
    fakes::MemoryTreeStore trees;
    const reconcilers::Runtimes world{.by_backend = {{"docker", runtime}},
                                      .default_backend = "docker",
                                      .folders = folders,
                                      .trees = trees,
                                      .random = random,
                                      .metrics = metrics,
                                      .instance = "here",
                                      .network = "n",
                                      .images = {}};
    reconcilers::WorkspaceReconciler reconciler(objects, world, Log());
    EXPECT_TRUE(reconciler.reconcile({"workspaces.atelier.dev", "default", "left"}, clock.now()));
    EXPECT_FALSE(runtime->unit("ws-left"));
    EXPECT_TRUE(runtime->unit("ws-kept"));
    EXPECT_TRUE(runtime->unit("ws-000000000000")) << "it has no label of ours";
    EXPECT_TRUE(runtime->volume_names().contains("ws-left-workspace"));
}

}  // namespace
}  // namespace atelier::cmd
