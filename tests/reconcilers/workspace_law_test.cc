// The laws of Workspace and PluginInstall together: whichever call fails, or is the last before a
// crash, reconciling again gets there; once there, nothing is touched. Then the regression
// scenarios of the domain that belong to them, each by its number.
#include <gtest/gtest.h>

#include "tests/reconcilers/workspace_world.h"

namespace atelier::reconcilers {
namespace {

using crds::PluginInstall;
using crds::Workspace;
using drivers::Unit;
using fakes::Fault;
using fakes::When;

using Story = std::function<void(TestWorld&)>;

// What the world looks like at the end, as text.
std::string picture(TestWorld& w) {
    std::string out;
    for (const Unit& unit : w.runtime.all_units()) {
        out += unit.labels.count("atelier.dev/name") ? unit.labels.at("atelier.dev/name") : "?";
        out += unit.state == Unit::State::running ? " runs" : " does not run";
        const auto spec = w.runtime.spec(unit.name);
        out += " " + spec->image + ";";
        for (const char* path : {"/configs/a.md", "/configs/b.md"}) {
            const auto text = w.runtime.file(unit.name, path);
            if (text) out += std::string(path) + "=" + *text + ";";
        }
        for (const auto& [name, digest] : w.folders.live(unit.labels.at("atelier.dev/uid"))) {
            out += name + "@" + digest.substr(0, 7) + ";";
        }
        out += " leftovers " +
               std::to_string(w.folders.leftovers(unit.labels.at("atelier.dev/uid"))) + "\n";
    }
    out += "volumes " + std::to_string(w.runtime.volume_names().size());
    out += " networks " + std::to_string(w.runtime.network_names().size());
    const auto snapshot = w.store->list(crds::WorkspaceSpec::resource);
    for (const auto& object : snapshot->objects) {
        const auto decoded = crds::decode<Workspace>(object->body);
        out += "\n" + object->key.name + " " + TestWorld::text_of(decoded->status, "Ready") +
               " effective " + TestWorld::text_of(decoded->status, "Effective");
    }
    return out;
}

// Each story is a state of things, then a change. The change is reconciled under every fault.
struct PlatformValues {
    const char* name;
    Story before;
    Story change;
};

void one_workspace(TestWorld& w) {
    w.plugin("p", plugin_tree("1"));
    w.plugin("q", plugin_tree("q"));
    w.workspace("one", [](crds::WorkspaceSpec& spec) {
        spec.plugins = {"p", "q"};
        spec.files = {{"a.md", "a", {}, "", false}, {"b.md", "b", {}, "", false}};
    });
}

const std::vector<PlatformValues> stories = {
    {"made", [](TestWorld&) {}, one_workspace},
    {"another image and fewer files", one_workspace,
     [](TestWorld& w) {
         w.change("one", [](crds::WorkspaceSpec& spec) {
             spec.image = "agent:2";
             spec.files.pop_back();
         });
     }},
    {"a cold update of a plugin", one_workspace,
     [](TestWorld& w) { w.set_version("one.p", w.plugin("p", plugin_tree("2"))); }},
    {"a hot update of a plugin", one_workspace,
     [](TestWorld& w) { w.set_version("one.p", w.plugin("p", plugin_tree("1", "other"))); }},
    {"a plugin fewer", one_workspace,
     [](TestWorld& w) {
         w.change("one", [](crds::WorkspaceSpec& spec) { spec.plugins = {"p"}; });
     }},
    {"killed", one_workspace, [](TestWorld& w) { w.runtime.kill(unit_name(w.uid("one"))); }},
    {"paused", one_workspace,
     [](TestWorld& w) {
         w.change("one", [](crds::WorkspaceSpec& spec) {
             spec.desired_state = crds::DesiredState::paused;
         });
     }},
    {"deleted", one_workspace, [](TestWorld& w) { w.remove<Workspace>("one"); }},
};

// Runs the change with nothing in its way, and counts the calls it takes.
std::string undisturbed(const PlatformValues& told, std::size_t& calls) {
    TestWorld w;
    told.before(w);
    w.settle();
    calls = 0;
    w.runtime.on_call([&](std::string_view, When when) { calls += when == When::before; });
    w.folders.on_call([&](std::string_view, When when) { calls += when == When::before; });
    told.change(w);
    w.settle();
    return picture(w);
}

TEST(WorkspaceLaw, ConvergesThroughAnyOneFailureThenRests) {
    for (const PlatformValues& told : stories) {
        std::size_t calls = 0;
        const std::string expected = undisturbed(told, calls);
        ASSERT_GT(calls, 0u);
        for (const auto when : {When::before, When::after}) {
            for (std::size_t nth = 1; nth <= calls; ++nth) {
                SCOPED_TRACE(std::string(told.name) + ": fault " +
                             (when == When::before ? "before" : "after") + " the effect of call " +
                             std::to_string(nth));
                TestWorld w;
                told.before(w);
                w.settle();
                told.change(w);
                w.runtime.plan({.call = "", .nth = nth, .when = when, .code = Code::unavailable});
                w.settle();
                if (w.runtime.faults_left()) break;  // there are fewer calls
                EXPECT_EQ(picture(w), expected);
                EXPECT_EQ(w.calls_of_a_round(), std::vector<std::string>{});
                EXPECT_TRUE(w.runtime.untouched());
                if (testing::Test::HasFailure()) return;
            }
        }
        for (const auto when : {When::before, When::after}) {
            for (std::size_t nth = 1; nth <= 12; ++nth) {
                SCOPED_TRACE(std::string(told.name) + ": fault of the folder's call " +
                             std::to_string(nth));
                TestWorld w;
                told.before(w);
                w.settle();
                told.change(w);
                w.folders.plan({.call = "", .nth = nth, .when = when, .code = Code::exhausted});
                w.settle();
                if (w.folders.faults_left()) break;
                EXPECT_EQ(picture(w), expected);
                EXPECT_EQ(w.calls_of_a_round(), std::vector<std::string>{});
                if (testing::Test::HasFailure()) return;
            }
        }
    }
}

TEST(WorkspaceLaw, ConvergesThroughACrashAtAnyCallThenRests) {
    for (const PlatformValues& told : stories) {
        std::size_t calls = 0;
        const std::string expected = undisturbed(told, calls);
        for (std::size_t nth = 1; nth <= 2 * calls; ++nth) {
            SCOPED_TRACE(std::string(told.name) + ": crash at point " + std::to_string(nth));
            TestWorld w;
            told.before(w);
            w.settle();
            std::size_t point = 0;
            const auto crash = [&](std::string_view, When) {
                if (++point == nth) throw Crash();
            };
            w.runtime.on_call(crash);
            w.folders.on_call(crash);
            told.change(w);
            w.settle();
            w.runtime.on_call({});
            w.folders.on_call({});
            EXPECT_EQ(picture(w), expected);
            EXPECT_EQ(w.calls_of_a_round(), std::vector<std::string>{});
            if (testing::Test::HasFailure()) return;
        }
    }
}

TEST(WorkspaceLaw, AReconcileOfWhatIsRightIsOneList) {
    TestWorld w;
    one_workspace(w);
    w.settle();
    w.runtime.clear_calls();
    WorkspaceReconciler reconciler(*w.objects, *w.runtimes, Log());
    ASSERT_TRUE(reconciler.reconcile(w.get<Workspace>("one").key(), w.clock.now()));
    EXPECT_EQ(w.runtime.calls(), std::vector<std::string>{"list"});
}

TEST(WorkspaceLaw, ANewWorkspaceStartsOnceWithAllOfItsPlugins) {
    TestWorld w;
    one_workspace(w);
    w.settle();
    EXPECT_EQ(w.runtime.count("create"), 1u);
    EXPECT_EQ(w.runtime.count("start"), 1u);
    EXPECT_EQ(w.get<Workspace>("one").status.restarts, 0);
    EXPECT_EQ(w.condition("one", "Ready"), "True Running");
    EXPECT_EQ(w.condition("one", "Effective"), "True Loaded");
    EXPECT_EQ(w.get<Workspace>("one").status.plugins_summary, "2/2");
    const auto unit = w.unit("one");
    EXPECT_EQ(unit->labels.at("atelier.dev/managed"), "true");
    EXPECT_EQ(unit->labels.at("atelier.dev/instance"), "i1");
    EXPECT_EQ(unit->labels.at("atelier.dev/namespace"), "default");
    EXPECT_EQ(unit->labels.at("atelier.dev/name"), "one");
}

// --- scenarios of the domain reference, section 8

TEST(Scenario26, OnlySkillTextsAreHotEverythingElseRestartsOnce) {
    TestWorld w;
    one_workspace(w);
    w.settle();
    const auto starts = [&] { return w.runtime.count("start"); };
    EXPECT_EQ(starts(), 1u);

    const std::string hot = w.plugin("p", plugin_tree("1", "better"));
    w.set_version("one.p", hot);
    w.settle();
    EXPECT_EQ(starts(), 1u);
    EXPECT_EQ(w.get<PluginInstall>("one.p").status.loaded, hot);
    EXPECT_EQ(w.get<PluginInstall>("one.p").status.last_change, crds::ChangeClass::hot);

    const std::string cold = w.plugin("p", plugin_tree("2", "better"));
    w.set_version("one.p", cold);
    w.settle();
    EXPECT_EQ(starts(), 2u);
    EXPECT_EQ(w.get<PluginInstall>("one.p").status.loaded, cold);
    EXPECT_EQ(w.get<Workspace>("one").status.restarts, 1);
    EXPECT_EQ(w.condition("one", "Ready"), "True Running");
}

TEST(Scenario27, NothingIsPushedIntoAnExternalWorkspace) {
    TestWorld w;
    w.plugin("p", plugin_tree("1"));
    w.workspace("one", [](crds::WorkspaceSpec& spec) {
        spec.backend = "external";
        spec.plugins = {"p"};
    });
    w.settle();
    EXPECT_EQ(w.runtime.all_units().size(), 0u);
    EXPECT_TRUE(w.folders.calls().empty());
    const auto install = w.get<PluginInstall>("one.p");
    EXPECT_EQ(TestWorld::text_of(install.status, "Delivered"), "False Unsupported");
    EXPECT_EQ(TestWorld::text_of(install.status, "Stalled"), "True Unsupported");
    w.remove<Workspace>("one");
    w.settle();
    EXPECT_FALSE(w.exists<Workspace>("one"));
}

TEST(Scenario28, ADaemonThatDoesNotAnswerIsNoReasonToAct) {
    TestWorld w;
    one_workspace(w);
    w.settle();
    for (const auto weather :
         {fakes::FakeRuntime::Weather::away, fakes::FakeRuntime::Weather::slow}) {
        w.runtime.set_weather(weather);
        w.runtime.clear_calls();
        EXPECT_FALSE(w.round());
        EXPECT_EQ(w.condition("one", "Ready"), "Unknown RuntimeUnreachable");
        EXPECT_EQ(w.condition("one", "Healthy"), "Unknown RuntimeUnreachable");
        for (const std::string& call : w.runtime.calls()) EXPECT_EQ(call, "list");
    }
    w.runtime.set_weather(fakes::FakeRuntime::Weather::fair);
    w.settle();
    EXPECT_EQ(w.condition("one", "Ready"), "True Running");
    EXPECT_EQ(w.runtime.count("start"), 0u);
    EXPECT_EQ(w.count_events("RuntimeUnreachable"), 1);
    EXPECT_EQ(w.count_events("RuntimeReachable"), 1);
}

TEST(Scenario37, ADeletedWorkspaceNeverComesBack) {
    TestWorld w;
    one_workspace(w);
    w.settle();
    const std::string unit = unit_name(w.uid("one"));
    w.remove<Workspace>("one");
    // Marked first: whatever happens to its unit now starts nothing.
    w.runtime.kill(unit);
    w.runtime.clear_calls();
    w.settle();
    EXPECT_EQ(w.runtime.count("create"), 0u);
    EXPECT_EQ(w.runtime.count("start"), 0u);
    EXPECT_TRUE(w.runtime.all_units().empty());
    EXPECT_FALSE(w.exists<PluginInstall>("one.p"));
    EXPECT_FALSE(w.exists<Workspace>("one"));
}

TEST(Scenario38, WhenStoppingFailsTheVolumesStayAndARetryConverges) {
    TestWorld w;
    one_workspace(w);
    w.settle();
    w.remove<Workspace>("one");
    w.runtime.plan({.call = "stop", .nth = 1, .when = When::before, .code = Code::internal});
    EXPECT_FALSE(w.round());
    EXPECT_EQ(w.runtime.volume_names().size(), 2u);
    EXPECT_EQ(w.condition("one", "Provisioned"), "False Terminating");
    w.settle();
    EXPECT_TRUE(w.runtime.volume_names().empty());
    EXPECT_FALSE(w.exists<Workspace>("one"));
}

TEST(Scenario40, WhatIsNotOursIsLeftAloneAndWhatWasLeftBehindGoes) {
    TestWorld w;
    one_workspace(w);
    drivers::UnitSpec foreign;
    foreign.name = "ws-01234567-89a";
    foreign.image = "agent:1";
    w.runtime.add_foreign_unit(foreign, true);
    w.runtime.add_foreign_volume("ws-01234567-89a-configs");
    drivers::UnitSpec of_another_server;
    of_another_server.name = "ws-other";
    of_another_server.image = "agent:1";
    of_another_server.labels = {{"atelier.dev/managed", "true"},
                                {"atelier.dev/instance", "i2"},
                                {"atelier.dev/namespace", "default"},
                                {"atelier.dev/name", "one"}};
    w.runtime.add_foreign_unit(of_another_server, true);
    w.settle();
    w.remove<Workspace>("one");
    w.settle();
    EXPECT_TRUE(w.runtime.untouched());
    EXPECT_EQ(w.runtime.all_units().size(), 2u);

    // One of ours whose Workspace is nowhere: the database was lost.
    drivers::UnitSpec left;
    left.name = "ws-left";
    left.image = "agent:1";
    left.labels = {{"atelier.dev/managed", "true"},
                   {"atelier.dev/instance", "i1"},
                   {"atelier.dev/uid", "lost"},
                   {"atelier.dev/namespace", "default"},
                   {"atelier.dev/name", "lost"}};
    const auto id = w.runtime.create(left);
    ASSERT_TRUE(id);
    ASSERT_TRUE(w.runtime.start(*id));
    WorkspaceReconciler reconciler(*w.objects, *w.runtimes, Log());
    const Key key{std::string(crds::WorkspaceSpec::resource), "default", "lost"};
    w.runtime.set_weather(fakes::FakeRuntime::Weather::away);
    EXPECT_FALSE(reconciler.reconcile(key, w.clock.now()));
    EXPECT_EQ(w.runtime.all_units().size(), 3u);
    w.runtime.set_weather(fakes::FakeRuntime::Weather::fair);
    EXPECT_TRUE(reconciler.reconcile(key, w.clock.now()));
    EXPECT_EQ(w.runtime.all_units().size(), 2u);
    EXPECT_TRUE(w.runtime.untouched());
}

// The name of a network says as little about whose it is as that of a unit.
TEST(Scenario40, ANetworkOfOurNameThatIsNotOursStays) {
    TestWorld w;
    w.runtime.add_foreign_network("net");
    one_workspace(w);
    for (int i = 0; i < 3; ++i) w.round();
    EXPECT_EQ(w.condition("one", "Ready"), "False Failed");
    w.remove<Workspace>("one");
    w.settle();
    EXPECT_FALSE(w.exists<Workspace>("one"));
    EXPECT_EQ(w.runtime.network_names(), std::set<std::string>{"net"});
    EXPECT_TRUE(w.runtime.untouched());
}

TEST(Scenario41, ManyChangesAtOnceAreOneRestartAndOneDuringItIsOneMore) {
    TestWorld w;
    one_workspace(w);
    w.settle();
    w.runtime.clear_calls();
    w.set_version("one.p", w.plugin("p", plugin_tree("2")));
    w.set_version("one.q", w.plugin("q", plugin_tree("q2")));
    w.change("one", [](crds::WorkspaceSpec& spec) { spec.files[0].content = "changed"; });
    w.change("one", [](crds::WorkspaceSpec& spec) { spec.model = "m"; });
    w.settle();
    EXPECT_EQ(w.runtime.count("start"), 1u);

    w.runtime.clear_calls();
    bool changed = false;
    w.runtime.on_call([&](std::string_view call, When when) {
        if (call != "stop" || when != When::before || changed) return;
        changed = true;
        w.change("one", [](crds::WorkspaceSpec& spec) { spec.model = "newer"; });
    });
    w.change("one", [](crds::WorkspaceSpec& spec) { spec.files[0].content = "again"; });
    w.settle();
    EXPECT_EQ(w.runtime.count("start"), 2u);
    const auto unit = w.runtime.spec(unit_name(w.uid("one")));
    EXPECT_EQ(unit->env.at("MODEL"), "newer");
}

TEST(Scenario43, FilesOfTheWorkspaceItselfSurviveARestart) {
    TestWorld w;
    one_workspace(w);
    w.settle();
    const std::string unit = unit_name(w.uid("one"));
    w.runtime.write_file(unit, "/configs/own.md", "made inside");
    w.change("one", [](crds::WorkspaceSpec& spec) { spec.image = "agent:2"; });
    w.settle();
    EXPECT_EQ(w.runtime.file(unit, "/configs/own.md"), "made inside");
    EXPECT_EQ(w.runtime.file(unit, "/configs/a.md"), "a");
}

TEST(Scenario45, AUnitThatKeepsEndingIsStartedLessAndLessOften) {
    TestWorld w;
    w.runtime.crash_on_start("agent:1", 9);
    w.workspace("one");
    std::vector<std::string> waits;
    std::size_t starts = 0;
    for (int i = 0; i < 8; ++i) {
        w.settle();
        starts = w.runtime.count("start");
        ASSERT_TRUE(w.wake_at);
        waits.push_back(format_duration(*w.wake_at - w.clock.now()));
        w.clock.set(*w.wake_at);
    }
    EXPECT_EQ(waits,
              (std::vector<std::string>{"10s", "20s", "40s", "1m20s", "2m40s", "5m", "5m", "5m"}));
    EXPECT_EQ(starts, 9u);
    EXPECT_EQ(w.condition("one", "Healthy"), "False CrashLoop");
    EXPECT_EQ(w.get<Workspace>("one").status.restarts, 8);
    w.runtime.crash_on_start("agent:1", std::nullopt);
    w.clock.advance(std::chrono::minutes(5));
    w.settle();
    w.clock.advance(std::chrono::seconds(10));
    w.settle();
    EXPECT_EQ(w.condition("one", "Ready"), "True Running");
}

TEST(Scenario50, AnUploadThatFailsFailsTheStart) {
    TestWorld w;
    w.workspace("one", [](crds::WorkspaceSpec& spec) {
        spec.files = {{"a.md", "line\r\n", {}, "", false}};
    });
    w.runtime.plan({.call = "upload", .nth = 1, .when = When::before, .code = Code::internal});
    EXPECT_FALSE(w.round());
    EXPECT_EQ(w.runtime.count("start"), 0u);
    EXPECT_EQ(w.condition("one", "Provisioned"), "False Failed");
    w.settle();
    EXPECT_EQ(w.runtime.count("start"), 1u);
    EXPECT_EQ(w.runtime.count("create"), 1u);
    EXPECT_EQ(w.runtime.file(unit_name(w.uid("one")), "/configs/a.md"), "line\r\n");
}

TEST(Scenario51, DeletionLeavesNothing) {
    TestWorld w;
    one_workspace(w);
    w.workspace("two");
    w.settle();
    EXPECT_EQ(w.runtime.volume_names().size(), 4u);
    const std::string uid = w.uid("one");
    w.remove<Workspace>("one");
    w.settle();
    EXPECT_EQ(w.runtime.volume_names().size(), 2u);
    EXPECT_FALSE(w.folders.is_prepared(uid));
    EXPECT_EQ(w.runtime.network_names(), std::set<std::string>{"net"});
    w.remove<Workspace>("two");
    w.settle();
    EXPECT_TRUE(w.runtime.volume_names().empty());
    EXPECT_TRUE(w.runtime.network_names().empty());
    EXPECT_TRUE(w.runtime.all_units().empty());
}

// The one that is marked last is not the one that is gone last.
TEST(Scenario51, TheNetworkGoesWithWhoIsGoneLast) {
    TestWorld w;
    w.workspace("slow");
    w.workspace("quick", [](crds::WorkspaceSpec& spec) { spec.image = "nobody:1"; });
    for (int i = 0; i < 3; ++i) w.round();
    w.remove<Workspace>("slow");
    WorkspaceReconciler reconciler(*w.objects, *w.runtimes, Log());
    const auto reconcile = [&](const std::string& name) {
        return reconciler.reconcile({std::string(crds::WorkspaceSpec::resource), "default", name},
                                    w.clock.now());
    };
    bool stopping = false;
    w.runtime.on_call([&](std::string_view call, When when) {
        if (call != "stop" || when != When::before || stopping) return;
        stopping = true;
        w.remove<Workspace>("quick");
        EXPECT_TRUE(reconcile("quick"));
        EXPECT_FALSE(w.exists<Workspace>("quick"));
    });
    EXPECT_TRUE(reconcile("slow"));
    EXPECT_TRUE(stopping);
    EXPECT_FALSE(w.exists<Workspace>("slow"));
    EXPECT_TRUE(w.runtime.network_names().empty());
}

// --- further rules

TEST(WorkspaceRules, AMissingImageStopsNothingAndIsLookedForNowAndThen) {
    TestWorld w;
    one_workspace(w);
    w.settle();
    w.change("one", [](crds::WorkspaceSpec& spec) { spec.image = "agent:9"; });
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(w.round());
    EXPECT_EQ(w.condition("one", "Ready"), "False ImageMissing");
    EXPECT_EQ(w.condition("one", "Stalled"), "True ImageMissing");
    EXPECT_EQ(w.unit("one")->state, Unit::State::running);
    EXPECT_EQ(w.wake_at, w.clock.now() + std::chrono::minutes(1));
    w.runtime.add_image("agent:9");
    w.settle();
    EXPECT_EQ(w.condition("one", "Ready"), "True Running");
    EXPECT_EQ(w.runtime.spec(unit_name(w.uid("one")))->image, "agent:9");
}

TEST(WorkspaceRules, AMissingSecretIsWaitedForAndItsChangeRestartsOnce) {
    TestWorld w;
    w.workspace("one", [](crds::WorkspaceSpec& spec) {
        spec.env = {{"TOKEN", "", crds::KeyRef{"keys", "token"}, {}}};
    });
    w.settle();
    EXPECT_EQ(w.condition("one", "SecretsAvailable"), "False Missing");
    EXPECT_EQ(w.runtime.all_units().size(), 0u);

    crds::Secret secret;
    secret.meta.name = "keys";
    secret.meta.ns = "default";
    const auto put = [&](const std::string& token) {
        secret.data["token"] = token;
        const auto before = w.store->get({"secrets", "default", "keys"});
        store::Write write;
        write.kind = before ? store::Write::Kind::update : store::Write::Kind::create;
        write.key = {"secrets", "default", "keys"};
        write.body = crds::encode_body(crds::encode_secret(secret));
        write.expected = before ? before->revision : 0;
        ASSERT_TRUE(store::write_and_wait(*w.store, std::move(write)));
    };
    put("first");
    w.settle();
    const std::string unit = unit_name(w.uid("one"));
    EXPECT_EQ(w.runtime.spec(unit)->env.at("TOKEN"), "first");
    const auto made = w.runtime.spec(unit);
    for (const auto& [name, value] : made->labels) {
        EXPECT_EQ(value.find("first"), std::string::npos) << name;
    }
    put("second");
    w.settle();
    EXPECT_EQ(w.runtime.spec(unit)->env.at("TOKEN"), "second");
    EXPECT_EQ(w.runtime.count("start"), 2u);
}

TEST(WorkspaceRules, APolicyThatDoesNotListAPluginKeepsItOut) {
    TestWorld w;
    const auto policy = [&](const std::string& org, std::vector<std::string> allowed) {
        crds::Meta meta;
        meta.name = "pp";
        meta.ns = "default";
        crds::PluginPolicySpec spec;
        spec.org = org;
        spec.allowed = std::move(allowed);
        ASSERT_TRUE(w.objects->create<crds::PluginPolicy>(meta, spec, w.clock.now()));
    };
    policy("", {"q"});
    one_workspace(w);
    w.settle();
    EXPECT_EQ(TestWorld::text_of(w.get<PluginInstall>("one.p").status, "Denied"),
              "True NotAllowed");
    EXPECT_EQ(w.condition("one", "PluginsInstalled"), "False Denied");
    EXPECT_EQ(w.runtime.count("start"), 1u) << "it starts without the plugin";
    EXPECT_EQ(w.folders.live(w.uid("one")).count("p"), 0u);
    EXPECT_EQ(w.folders.live(w.uid("one")).count("q"), 1u);

    w.remove<crds::PluginPolicy>("pp");
    w.settle();
    EXPECT_EQ(w.folders.live(w.uid("one")).count("p"), 1u);
    EXPECT_EQ(w.condition("one", "Ready"), "True Running");
    policy("another-org", {"q"});
    w.settle();
    EXPECT_EQ(w.condition("one", "Ready"), "True Running");
}

TEST(WorkspaceRules, ATamperedPluginIsDeliveredAgain) {
    TestWorld w;
    one_workspace(w);
    w.settle();
    w.folders.tamper(w.uid("one"), "p");
    w.settle();
    EXPECT_EQ(w.folders.live(w.uid("one")).count("p"), 1u);
    w.folders.lose(w.uid("one"), "p");
    w.settle();
    EXPECT_EQ(w.folders.live(w.uid("one")).count("p"), 1u);
}

TEST(WorkspaceRules, APluginForAnotherRuntimeIsInert) {
    TestWorld w;
    w.plugin("p", plugin_tree("1"), {"claude_code"});
    w.workspace("one", [](crds::WorkspaceSpec& spec) { spec.plugins = {"p"}; });
    w.workspace("two", [](crds::WorkspaceSpec& spec) {
        spec.plugins = {"p"};
        spec.runtime = "claude-code";
        spec.image = "agent:1";
    });
    w.settle();
    EXPECT_EQ(TestWorld::text_of(w.get<PluginInstall>("one.p").status, "Inert"),
              "True RuntimeNotSupported");
    EXPECT_EQ(TestWorld::text_of(w.get<PluginInstall>("two.p").status, "Inert"), "");
}

TEST(WorkspaceRules, WithoutAnAgentEffectiveIsUnknownNeverTrue) {
    TestWorld w;
    w.agents = false;
    one_workspace(w);
    w.settle();
    EXPECT_EQ(w.condition("one", "Ready"), "True Running");
    EXPECT_EQ(w.condition("one", "Effective"), "Unknown NobodyReports");
    EXPECT_EQ(w.get<Workspace>("one").status.plugins_summary, "0/2");
    ASSERT_TRUE(w.wake_at);
    EXPECT_EQ(*w.wake_at - w.clock.now(), std::chrono::milliseconds(250));
}

TEST(WorkspaceRules, WhatTheTreeStoreLostIsSaidAndDoesNotHoldTheWorkspaceUp) {
    TestWorld w;
    const std::string digest = w.plugin("p", plugin_tree("1"));
    w.trees.lose(digest);
    w.workspace("one", [](crds::WorkspaceSpec& spec) { spec.plugins = {"p"}; });
    w.settle();
    EXPECT_EQ(TestWorld::text_of(w.get<PluginInstall>("one.p").status, "Delivered"),
              "False WaitingForPlugin");
    EXPECT_EQ(w.runtime.count("start"), 1u);
    w.plugin("p", plugin_tree("1"));
    w.settle();
    EXPECT_EQ(w.condition("one", "Ready"), "True Running");
}

TEST(WorkspaceRules, ABackendThatIsNotThereIsSaid) {
    TestWorld w;
    w.workspace("one", [](crds::WorkspaceSpec& spec) { spec.backend = "process"; });
    w.settle();
    EXPECT_EQ(w.condition("one", "Ready"), "False BackendMissing");
    w.remove<Workspace>("one");
    w.settle();
    EXPECT_FALSE(w.exists<Workspace>("one"));
}

TEST(WorkspaceRules, AProbeThatGotNoAnswerReplacesNothing) {
    TestWorld w;
    one_workspace(w);
    w.settle();
    w.runtime.set_capabilities({"docker", true, true, true, false});
    EXPECT_FALSE(w.round());
    EXPECT_EQ(w.condition("one", "Ready"), "Unknown RuntimeUnreachable");
    EXPECT_EQ(w.runtime.count("stop"), 0u);
    w.runtime.set_capabilities({"docker", true, true, true, true});
    w.settle();
    EXPECT_EQ(w.condition("one", "Ready"), "True Running");
    EXPECT_EQ(w.runtime.count("start"), 1u);
}

TEST(WorkspaceRules, PausedThenResumedKeepsItsFiles) {
    TestWorld w;
    one_workspace(w);
    w.settle();
    const std::string unit = unit_name(w.uid("one"));
    w.runtime.write_file(unit, "/workspace/work", "mine");
    const auto state = [&](crds::DesiredState to) {
        w.change("one", [&](crds::WorkspaceSpec& spec) { spec.desired_state = to; });
        w.settle();
    };
    state(crds::DesiredState::paused);
    EXPECT_TRUE(w.runtime.all_units().empty());
    EXPECT_EQ(w.condition("one", "Ready"), "False Paused");
    EXPECT_EQ(w.condition("one", "Effective"), "Unknown NobodyReports");
    state(crds::DesiredState::running);
    EXPECT_EQ(w.runtime.file(unit, "/workspace/work"), "mine");
    EXPECT_EQ(w.condition("one", "Effective"), "True Loaded");
    EXPECT_EQ(w.get<Workspace>("one").status.restarts, 1);
}

TEST(WorkspaceRules, SomebodyWhoRemovesOrKillsTheUnitIsUndone) {
    TestWorld w;
    one_workspace(w);
    w.settle();
    const std::string unit = unit_name(w.uid("one"));
    ASSERT_TRUE(w.runtime.vanish(unit));
    w.settle();
    EXPECT_EQ(w.unit("one")->state, Unit::State::running);
    w.runtime.kill_all();
    w.settle();
    EXPECT_EQ(w.unit("one")->state, Unit::State::running);
    EXPECT_EQ(w.get<Workspace>("one").status.restarts, 2);
    EXPECT_EQ(w.runtime.volume_names().size(), 2u);
}

}  // namespace
}  // namespace atelier::reconcilers
