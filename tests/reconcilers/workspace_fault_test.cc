// What was seen to fail in reconciling workspaces and their plugins, by the numbers of
// docs/faults.md.
#include <gtest/gtest.h>

#include "crds/plugin_install_conditions.h"
#include "reconcilers/plugin_install/observe.h"
#include "reconcilers/plugin_install/status.h"
#include "reconcilers/workspace/observe.h"
#include "reconcilers/workspace/status.h"
#include "tests/reconcilers/workspace_world.h"

namespace atelier::reconcilers {
namespace {

using drivers::Unit;
using fakes::FakeRuntime;
using fakes::Fault;
using fakes::When;

std::string message(TestWorld& world, const std::string& name, std::string_view type) {
    const auto object = world.get<crds::Workspace>(name);
    const crds::Condition* c = object.status.find(type);
    return c ? c->message : "";
}

std::string name_of_unit(TestWorld& world, const std::string& name) {
    return unit_name(world.uid(name));
}

// --- 18: what is observed of a unit is all that the plan relies on

TEST(Fault18, AUnitThatLostItsNetworkIsAttachedAgainAndSaysSo) {
    TestWorld world;
    world.workspace("a");
    world.settle();
    const auto before = world.unit("a");
    ASSERT_EQ(before->networks, std::vector<std::string>{"net"});
    ASSERT_TRUE(world.runtime.lose_network("net"));
    world.runtime.plan({.call = "join_network"});
    EXPECT_FALSE(world.round());
    EXPECT_EQ(world.condition("a", "Ready"), "False Failed");
    world.settle();
    const auto after = world.unit("a");
    EXPECT_EQ(after->networks, std::vector<std::string>{"net"});
    EXPECT_EQ(after->id, before->id) << "it is not restarted for that";
    EXPECT_EQ(world.condition("a", "Ready"), "True Running");
    ASSERT_TRUE(world.runtime.disconnect(name_of_unit(world, "a"), "net"));
    world.settle();
    EXPECT_EQ(world.unit("a")->networks, std::vector<std::string>{"net"});
}

TEST(Fault18, ReadyIsNotTrueWhileTheNetworkIsMissing) {
    TestWorld world;
    const auto object = world.workspace("a");
    world.settle();
    auto observed =
        *workspace::observe(world.get<crds::Workspace>("a"), *world.objects, *world.runtimes);
    ASSERT_EQ(observed.units.size(), 1u);
    observed.units[0].unit.networks.clear();
    const auto status =
        workspace::status(world.get<crds::Workspace>("a"), observed, {}, {}, world.clock.now());
    EXPECT_EQ(TestWorld::text_of(status, "Ready"), "False NetworkMissing");
}

TEST(Fault18, LimitsThatSomebodyChangedAreSetRight) {
    TestWorld world;
    world.workspace("a");
    world.settle();
    const auto object = world.get<crds::Workspace>("a");
    auto observed = *workspace::observe(object, *world.objects, *world.runtimes);
    Unit unit = observed.units[0].unit;
    EXPECT_EQ(workspace::difference(observed, unit), "");
    unit.memory_bytes *= 2;
    EXPECT_EQ(workspace::difference(observed, unit), "limits in the runtime changed");
    unit = observed.units[0].unit;
    for (drivers::Mount& mount : unit.mounts) {
        if (mount.target == "/configs") mount.source = "another";
    }
    EXPECT_EQ(workspace::difference(observed, unit), "the mount /configs in the runtime changed");
}

TEST(Fault18, TheHealthCheckOfTheImageCounts) {
    TestWorld world;
    world.workspace("a");
    world.settle();
    const std::string unit = name_of_unit(world, "a");
    world.runtime.set_health(unit, Unit::Health::starting);
    world.settle();
    EXPECT_EQ(world.condition("a", "Ready"), "False Starting");
    world.runtime.set_health(unit, Unit::Health::unhealthy, "connection refused");
    world.settle();
    EXPECT_EQ(world.condition("a", "Ready"), "False Unhealthy");
    EXPECT_NE(message(world, "a", "Healthy").find("connection refused"), std::string::npos);
    world.runtime.set_health(unit, Unit::Health::healthy);
    world.settle();
    EXPECT_EQ(world.condition("a", "Ready"), "True Running");
}

TEST(Fault18, SaysThatTheMemoryWasUsedUp) {
    TestWorld world;
    world.workspace("a");
    world.settle();
    ASSERT_TRUE(world.runtime.kill_for_memory(name_of_unit(world, "a")));
    const auto object = world.get<crds::Workspace>("a");
    const auto observed = *workspace::observe(object, *world.objects, *world.runtimes);
    const auto status = workspace::status(object, observed, {}, {}, world.clock.now());
    EXPECT_EQ(TestWorld::text_of(status, "Healthy"), "False OutOfMemory");
    EXPECT_NE(status.find("Healthy")->message.find("memory of 512 MiB"), std::string::npos)
        << status.find("Healthy")->message;
}

TEST(Fault18, AUnitThatCanNeverStartAgainIsReplaced) {
    TestWorld world;
    world.workspace("a");
    world.runtime.plan({.call = "start", .code = Code::conflict});
    EXPECT_FALSE(world.round());
    EXPECT_FALSE(world.unit("a")) << "the damaged unit was removed";
    world.settle();
    EXPECT_EQ(world.condition("a", "Ready"), "True Running");
}

TEST(Fault18, AWorkspaceIsDeletedThoughARuntimeThatItWasNeverInIsAway) {
    TestWorld world;
    FakeRuntime other(world.clock);
    other.set_weather(FakeRuntime::Weather::away);
    world.runtimes->by_backend["process"] = &other;
    world.workspace("a");
    world.workspace("never", [](crds::WorkspaceSpec& spec) { spec.backend = "process"; });
    world.round();
    world.remove<crds::Workspace>("a");
    world.remove<crds::Workspace>("never");
    world.settle();
    EXPECT_FALSE(world.exists<crds::Workspace>("a"));
    EXPECT_FALSE(world.exists<crds::Workspace>("never"));
}

TEST(Fault18, AWorkspaceThatWasInARuntimeWaitsForIt) {
    TestWorld world;
    FakeRuntime other(world.clock);
    other.add_image("agent:1");
    world.runtimes->by_backend["process"] = &other;
    world.workspace("a", [](crds::WorkspaceSpec& spec) { spec.backend = "process"; });
    world.settle();
    world.change("a", [](crds::WorkspaceSpec& spec) { spec.backend = "docker"; });
    world.settle();
    EXPECT_EQ(world.get<crds::Workspace>("a").status.backends,
              (std::vector<std::string>{"process", "docker"}));
    other.set_weather(FakeRuntime::Weather::away);
    world.remove<crds::Workspace>("a");
    world.round();
    EXPECT_TRUE(world.exists<crds::Workspace>("a")) << "its volumes are there still";
    other.set_weather(FakeRuntime::Weather::fair);
    world.settle();
    EXPECT_FALSE(world.exists<crds::Workspace>("a"));
    EXPECT_TRUE(other.volume_names().empty());
}

// --- 15

TEST(Fault15, TheHashInTheStatusCannotBeTriedOut) {
    TestWorld world;
    world.workspace("a", [](crds::WorkspaceSpec& spec) { spec.env = {{"PIN", "4711", {}, {}}}; });
    world.settle();
    const std::string one = world.get<crds::Workspace>("a").status.spec_hash;
    world.runtimes->hash_key = "another key";
    world.settle();
    EXPECT_NE(world.get<crds::Workspace>("a").status.spec_hash, one);
}

// --- 17

TEST(Fault17, AUnitThatAnotherStoreMadeIsNoOrphanOfThisOne) {
    TestWorld world;
    world.workspace("a");
    world.settle();
    drivers::UnitSpec foreign = *world.runtime.spec(name_of_unit(world, "a"));
    foreign.name = "ws-lost";
    foreign.labels[std::string(unit_label::name)] = "lost";
    foreign.labels[std::string(unit_label::uid)] = "lost";
    WorkspaceReconciler reconciler(*world.objects, *world.runtimes, Log());
    const Key key{"workspaces.atelier.dev", "default", "lost"};
    // Of this store: its object was removed without its finalizer.
    const auto orphan = world.runtime.create(foreign);
    ASSERT_TRUE(orphan);
    ASSERT_TRUE(reconciler.reconcile(key, world.clock.now()));
    EXPECT_FALSE(world.runtime.unit("ws-lost"));
    // Of another one, as with an empty or a wrong database: nothing is stopped for want of an
    // object that this store has never known.
    foreign.labels[std::string(unit_label::store)] = "another";
    const auto running = world.runtime.create(foreign);
    ASSERT_TRUE(running);
    ASSERT_TRUE(world.runtime.start(*running));
    ASSERT_TRUE(reconciler.reconcile(key, world.clock.now()));
    EXPECT_EQ(world.runtime.unit("ws-lost")->state, Unit::State::running);
    // The operator has said that this store is the right one.
    Runtimes accepting = *world.runtimes;
    accepting.stops_strangers = true;
    WorkspaceReconciler certain(*world.objects, accepting, Log());
    ASSERT_TRUE(certain.reconcile(key, world.clock.now()));
    EXPECT_FALSE(world.runtime.unit("ws-lost"));
}

// --- 20

TEST(Fault20, NothingIsStoppedWhenTheRuntimeRefusesTheSuccessor) {
    TestWorld world;
    world.workspace("a");
    world.settle();
    const auto before = world.unit("a");
    world.change("a", [](crds::WorkspaceSpec& spec) { spec.image = "agent:2"; });
    world.runtime.clear_calls();
    world.runtime.plan({.call = "create", .code = Code::invalid});
    EXPECT_FALSE(world.round());
    EXPECT_EQ(world.runtime.count("stop"), 0u);
    EXPECT_EQ(world.unit("a")->id, before->id);
    EXPECT_EQ(world.unit("a")->state, Unit::State::running);
    EXPECT_EQ(world.condition("a", "Ready"), "False Failed");
    EXPECT_EQ(world.condition("a", "Healthy"), "True Running");
    world.settle();
    EXPECT_NE(world.unit("a")->id, before->id);
    EXPECT_EQ(world.runtime.all_units().size(), 1u) << "the trial is gone";
}

TEST(Fault20, ATrialThatACrashLeftBehindIsRemoved) {
    TestWorld world;
    world.workspace("a");
    world.settle();
    world.change("a", [](crds::WorkspaceSpec& spec) { spec.image = "agent:2"; });
    bool crashed = false;
    world.runtime.on_call([&](std::string_view call, When when) {
        if (crashed || call != "create" || when != When::after) return;
        crashed = true;
        throw Crash{};
    });
    world.round();
    EXPECT_TRUE(crashed);
    EXPECT_EQ(world.runtime.all_units().size(), 2u);
    world.settle();
    EXPECT_EQ(world.runtime.all_units().size(), 1u);
    EXPECT_EQ(world.condition("a", "Ready"), "True Running");
}

// --- 21

TEST(Fault21, AStartDoesNotWaitForAPluginThatIsTakenOutOfARunningUnit) {
    TestWorld world;
    world.workspace("a");
    world.settle();
    const auto object = world.get<crds::Workspace>("a");
    auto observed = *workspace::observe(object, *world.objects, *world.runtimes);
    observed.units.clear();
    crds::PluginInstall going;
    going.meta.name = "a.p";
    going.meta.deleted_at = world.clock.now();
    going.spec.workspace = "a";
    going.spec.plugin = "p";
    going.status.delivery = "exec";
    observed.installs = {going};
    EXPECT_EQ(workspace::plan(object, observed, world.clock.now()).waits_for, "");
    observed.installs[0].status.delivery = "mount";
    EXPECT_EQ(workspace::plan(object, observed, world.clock.now()).waits_for, "plugin p");
}

TEST(Fault21, OfTwoInstallsForOnePluginTheOlderCounts) {
    TestWorld world;
    const std::string first = world.plugin("p", plugin_tree("1"));
    world.workspace("a", [](crds::WorkspaceSpec& spec) { spec.plugins = {"p"}; });
    world.settle();
    const std::string second = *world.trees.put(plugin_tree("2"));
    world.clock.advance(std::chrono::seconds(5));
    crds::Meta meta;
    meta.name = "by-hand";
    meta.ns = "default";
    crds::PluginInstallSpec spec;
    spec.workspace = "a";
    spec.plugin = "p";
    spec.version.digest = second;
    ASSERT_TRUE(world.objects->create<crds::PluginInstall>(meta, spec, world.clock.now()));
    world.settle();
    EXPECT_EQ(world.folders.live(world.uid("a")).at("p"), first);
    EXPECT_EQ(TestWorld::text_of(world.get<crds::PluginInstall>("by-hand").status, "Delivered"),
              "False Duplicate");
    EXPECT_EQ(world.condition("a", "Ready"), "True Running");
    // Its end takes nothing away from the other one.
    world.remove<crds::PluginInstall>("by-hand");
    world.settle();
    EXPECT_EQ(world.folders.live(world.uid("a")).at("p"), first);
}

TEST(Fault21, NothingIsDeliveredWhileTheFileSystemIsNotKnown) {
    TestWorld world;
    world.plugin("p", plugin_tree("1"));
    world.workspace("a", [](crds::WorkspaceSpec& spec) { spec.plugins = {"p"}; });
    world.settle();
    drivers::Capabilities can = world.runtime.capabilities();
    can.shares_file_system = false;
    can.file_system_known = false;
    world.runtime.set_capabilities(can);
    const auto before = world.unit("a");
    world.runtime.clear_calls();
    world.round();
    EXPECT_EQ(world.runtime.count("exec"), 0u);
    EXPECT_EQ(TestWorld::text_of(world.get<crds::PluginInstall>("a.p").status, "Delivered"),
              "Unknown RuntimeUnreachable");
    EXPECT_EQ(world.condition("a", "Ready"), "Unknown RuntimeUnreachable");
    EXPECT_EQ(world.unit("a")->id, before->id);
}

TEST(Fault21, AnAgentThatNeverReportsIsNotReadForEver) {
    crds::PluginInstall install;
    install.spec.version.digest = "d";
    plugin_install::Observed observed;
    observed.place = plugin_install::Observed::Place::here;
    observed.agent_expected = true;
    observed.desired.emplace();
    crds::PluginInstallStatus status;
    status.desired = status.delivered = "d";
    const Instant start{};
    status.delivered_at = start;
    const auto wake = [&](Duration after) {
        return plugin_install::next_wake(install, observed, status, start + after);
    };
    using std::chrono::minutes;
    EXPECT_EQ(wake(minutes(4)), start + minutes(5));
    EXPECT_EQ(wake(minutes(20)), start + minutes(25));
    EXPECT_FALSE(wake(minutes(30)));
}

// --- 26

TEST(Fault26, TwoPluginsWithOneSkillAreWarnedAbout) {
    TestWorld world;
    world.plugin("p", plugin_tree("1"));
    world.plugin("q", plugin_tree("2"));
    for (const char* name : {"p", "q"}) {
        const auto plugin = world.get<crds::Plugin>(name);
        auto status = plugin.status;
        status.capabilities.skills = {"review"};
        ASSERT_TRUE(world.objects->report(plugin, status, world.clock.now()));
    }
    world.workspace("a", [](crds::WorkspaceSpec& spec) { spec.plugins = {"p", "q"}; });
    world.settle();
    EXPECT_EQ(world.condition("a", "SkillConflict"), "True SameSkill");
    EXPECT_EQ(world.count_events("SameSkill"), 1);
    world.change("a", [](crds::WorkspaceSpec& spec) { spec.plugins = {"p"}; });
    world.settle();
    EXPECT_EQ(world.condition("a", "SkillConflict"), "");
}

// --- 22

TEST(Fault22, WhatIsHeldByAnothersFinalizerSaysThatItIsGoing) {
    TestWorld world;
    crds::Meta meta;
    meta.name = "a";
    meta.ns = "default";
    meta.finalizers = {"example.com/hold"};
    ASSERT_TRUE(world.objects->create<crds::Workspace>(meta, {}, world.clock.now()));
    world.settle();
    ASSERT_EQ(world.condition("a", "Ready"), "True Running");
    world.remove<crds::Workspace>("a");
    world.settle();
    EXPECT_EQ(world.condition("a", "Ready"), "False Terminating");
    EXPECT_EQ(world.condition("a", "Healthy"), "False NotRunning");
    EXPECT_EQ(world.get<crds::Workspace>("a").status.container, "");
    EXPECT_NE(message(world, "a", "Ready").find("example.com/hold"), std::string::npos);
}

}  // namespace
}  // namespace atelier::reconcilers
