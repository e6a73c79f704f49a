#include <gtest/gtest.h>

#include "base/digest.h"
#include "base/text.h"
#include "reconcilers/plugin/reconciler.h"
#include "tests/reconcilers/plugin_world.h"
#include "tests/support/process.h"

namespace atelier::reconcilers {
namespace {

using crds::Plugin;
using crds::PluginUpdate;
using crds::UpdatePhase;

std::string text(const Plugin& plugin) {
    const auto short_id = [](const std::optional<crds::PluginVersion>& version) {
        return version
                   ? version->commit.substr(0, 7) + (version->ref.empty() ? "" : "@") + version->ref
                   : std::string("-");
    };
    std::string out = "approved " + short_id(plugin.status.approved) + ", latest " +
                      short_id(plugin.status.latest);
    for (const crds::Condition& c : plugin.status.conditions) {
        if (c.type == "SourceReady" && c.status == crds::ConditionStatus::yes) continue;
        if (c.type == "Verified" && c.status == crds::ConditionStatus::yes) continue;
        if (c.type == "UpdateAvailable" && c.reason == "UpToDate") continue;
        out += ", " + c.type + "=" + std::string(json::name_of(c.status)) + "/" + c.reason;
    }
    return out;
}

std::string text(const std::vector<PluginUpdate>& updates) {
    std::string out;
    for (const PluginUpdate& update : updates) {
        out += (out.empty() ? "" : ", ") + update.meta.name + " " +
               std::string(json::name_of(update.status.phase)) +
               (update.spec.alarm.empty() ? "" : " " + update.spec.alarm);
    }
    return out;
}

std::string id(const std::string& commit) {
    return commit.substr(0, 7);
}

TEST(PluginReconciler, ApprovesTheFirstVersionAndRests) {
    PluginWorld world;
    const std::string first = world.push_skill("a");
    world.make_plugin();
    const auto outcome = world.reconcile_plugin();
    ASSERT_TRUE(outcome) << outcome.error().message;
    EXPECT_EQ(outcome->wake_at, world.now + std::chrono::minutes(10));
    const Plugin plugin = world.plugin();
    EXPECT_EQ(text(plugin), "approved " + id(first) + "@main, latest " + id(first) +
                                "@main, Ready=True/Resolved");
    EXPECT_EQ(plugin.status.version, "1.0.0");
    EXPECT_EQ(join(plugin.status.capabilities.skills, " "), "review");
    EXPECT_TRUE(world.trees.get(plugin.status.approved->digest));
    EXPECT_TRUE(world.updates().empty());

    const auto calls = world.git.calls();
    const Revision revision = world.store.revision();
    world.settle();
    EXPECT_EQ(world.git.calls(), calls) << "nothing is polled before its time";
    EXPECT_EQ(world.store.revision(), revision);
}

TEST(PluginReconciler, Scenario33AsksOnceAboutDriftAndKeepsWhatIsApproved) {
    PluginWorld world;
    const std::string first = world.push_skill("a");
    world.make_plugin();
    world.settle();
    const std::string second = world.push_skill("b");
    world.settle();
    EXPECT_EQ(text(world.updates()), "") << "not before the interval is over";
    world.pass(std::chrono::minutes(10));
    world.settle();
    EXPECT_EQ(text(world.plugin()),
              "approved " + id(first) + "@main, latest " + id(second) +
                  "@main, Ready=True/Resolved, UpdateAvailable=True/UpdateOpen");
    // The same drift seen twice makes one update.
    world.pass(std::chrono::minutes(10));
    world.settle();
    EXPECT_EQ(text(world.updates()), "reviewer-" + id(second) + " Pending");
    const PluginUpdate update = world.updates()[0];
    EXPECT_EQ(update.spec.from.commit, first);
    EXPECT_EQ(update.spec.to.commit, second);
    EXPECT_EQ(world.plugin().status.pending_update, update.meta.name);
    EXPECT_EQ(update.status.change_class, "Hot");
    EXPECT_EQ(join(update.status.changed_files, ","), "M skills/review/SKILL.md");
    ASSERT_NE(update.meta.controller(), nullptr);
    EXPECT_EQ(update.meta.controller()->name, "reviewer");
}

TEST(PluginReconciler, LooksAtOnceWhenAsked) {
    PluginWorld world;
    world.push_skill("a");
    world.make_plugin();
    world.settle();
    const std::string second = world.push_skill("b");
    world.change<Plugin>("reviewer", [](Plugin& p) {
        p.meta.annotations["atelier.dev/reconcile-requested-at"] = "now";
    });
    world.settle();
    EXPECT_EQ(text(world.updates()), "reviewer-" + id(second) + " Pending");
    EXPECT_EQ(world.plugin().status.last_handled_reconcile_at, "now");
}

TEST(PluginReconciler, ANewerTargetSupersedesAnUndecidedOne) {
    PluginWorld world;
    world.push_skill("a");
    world.make_plugin();
    world.settle();
    const std::string second = world.push_skill("b");
    world.pass(std::chrono::minutes(10));
    world.settle();
    const std::string third = world.push_skill("c");
    world.pass(std::chrono::minutes(10));
    world.settle();
    EXPECT_EQ(world.updates().size(), 2u);
    EXPECT_EQ(world.read<PluginUpdate>("reviewer-" + id(second)).status.phase,
              UpdatePhase::superseded);
    EXPECT_EQ(world.read<PluginUpdate>("reviewer-" + id(third)).status.phase, UpdatePhase::pending);
    // Back to what is approved: nothing to ask.
    world.push_skill("a");
    world.pass(std::chrono::minutes(10));
    world.settle();
    EXPECT_EQ(world.read<PluginUpdate>("reviewer-" + id(third)).status.phase,
              UpdatePhase::superseded);
    EXPECT_EQ(world.plugin().status.pending_update, "");
}

TEST(PluginReconciler, ADismissedTargetIsAskedAboutAgainOnlyAfterUpstreamMoved) {
    PluginWorld world;
    world.push_skill("a");
    world.make_plugin();
    world.settle();
    const std::string second = world.push_skill("b");
    world.pass(std::chrono::minutes(10));
    world.settle();
    world.pass(std::chrono::seconds(5));
    world.decide("reviewer-" + id(second), crds::Decision::dismiss);
    world.settle();
    for (int i = 0; i < 3; ++i) {
        world.pass(std::chrono::minutes(10));
        world.settle();
    }
    EXPECT_EQ(text(world.updates()), "reviewer-" + id(second) + " Dismissed");
    EXPECT_EQ(world.plugin().status.find("UpdateAvailable")->reason, "Dismissed");

    const std::string third = world.push_skill("c");
    world.pass(std::chrono::minutes(10));
    world.settle();
    EXPECT_EQ(world.updates().size(), 2u);
    EXPECT_EQ(world.read<PluginUpdate>("reviewer-" + id(third)).status.phase, UpdatePhase::pending);
    // Upstream goes back to the very commit that was dismissed: it moved, so it is asked again.
    world.git.branch(PluginWorld::url, "main", second);
    world.pass(std::chrono::minutes(10));
    world.settle();
    EXPECT_EQ(world.read<PluginUpdate>("reviewer-" + id(second) + "-2").status.phase,
              UpdatePhase::pending);
}

TEST(PluginReconciler, ATagThatMovesIsAnAlarm) {
    PluginWorld world;
    const std::string first = world.push_skill("a");
    world.git.tag(PluginWorld::url, "v1.0.0", first);
    world.make_plugin("tag:v1.0.0");
    world.settle();
    const std::string second = world.push_skill("b");
    world.pass(std::chrono::minutes(10));
    world.settle();
    EXPECT_EQ(text(world.updates()), "");
    world.git.tag(PluginWorld::url, "v1.0.0", second);
    world.pass(std::chrono::minutes(10));
    world.settle();
    EXPECT_EQ(text(world.updates()), "reviewer-" + id(second) + " Pending TagMoved");
    EXPECT_TRUE(world.plugin().status.is_true("TagMoved"));
}

TEST(PluginReconciler, Scenario33BeginsAtThePinAndFollowsTheHighestVersion) {
    PluginWorld world;
    const std::string first = world.push_skill("a");
    world.git.tag(PluginWorld::url, "v1.9.0", first);
    const std::string second = world.push_skill("b");
    world.git.tag(PluginWorld::url, "v1.10.0", second);
    world.make_plugin("tag:latest", [](crds::PluginSpec& s) { s.source += "#v1.9.0"; });
    world.settle();
    EXPECT_EQ(text(world.plugin()),
              "approved " + id(first) + "@v1.9.0, latest " + id(second) +
                  "@v1.10.0, Ready=True/Resolved, UpdateAvailable=True/UpdateOpen");
    world.decide("reviewer-" + id(second), crds::Decision::approve);
    world.settle();
    EXPECT_EQ(text(world.plugin()), "approved " + id(second) + "@v1.10.0, latest " + id(second) +
                                        "@v1.10.0, Ready=True/Resolved");
    EXPECT_EQ(text(world.updates()), "reviewer-" + id(second) + " Applied");
}

TEST(PluginReconciler, AnUntrackedOrPinnedSourceStays) {
    for (const bool by_commit : {false, true}) {
        PluginWorld world;
        const std::string first = world.push_skill("a");
        world.make_plugin(by_commit ? "sha:" + first : "none", [&](crds::PluginSpec& s) {
            s.source += "#" + (by_commit ? first : "main");
        });
        const auto outcome = world.reconcile_plugin();
        ASSERT_TRUE(outcome);
        EXPECT_FALSE(outcome->wake_at);
        const auto calls = world.git.calls();
        world.push_skill("b");
        world.pass(std::chrono::hours(1000));
        world.settle();
        EXPECT_EQ(world.git.calls(), calls);
        EXPECT_EQ(world.plugin().status.approved->commit, first);
    }
}

TEST(PluginReconciler, AChangeOfTheSourceIsDriftToo) {
    PluginWorld world;
    const std::string first = world.push_skill("a");
    const std::string second = world.push_skill("b");
    world.git.tag(PluginWorld::url, "v1", first);
    world.git.tag(PluginWorld::url, "v2", second);
    world.make_plugin("none", [](crds::PluginSpec& s) { s.source += "#v1"; });
    world.settle();
    world.change<Plugin>("reviewer", [](Plugin& p) {
        p.spec.source = std::string("git+") + PluginWorld::url + "#v2";
    });
    world.settle();
    EXPECT_EQ(world.plugin().status.approved->commit, first);
    EXPECT_EQ(text(world.updates()), "reviewer-" + id(second) + " Pending");
}

TEST(PluginReconciler, SaysWhatIsWrongAndKeepsTheApprovedVersion) {
    struct Case {
        const char* name;
        std::function<void(PluginWorld&)> harm;
        const char* expected;  // the conditions
        bool retried;
    };
    const Case cases[] = {
        {"upstream is away", [](PluginWorld& w) { w.git.set_away(true); },
         "SourceReady=False/SourceFetchFailed Ready=False/SourceFetchFailed "
         "Reconciling=True/Retrying",
         true},
        {"the branch is gone",
         [](PluginWorld& w) { w.git.remove_ref(PluginWorld::url, "refs/heads/main"); },
         "SourceReady=False/SourceNotFound Ready=False/SourceNotFound Stalled=True/SourceNotFound",
         false},
        {"a secret is needed", [](PluginWorld& w) { w.git.need_secret(PluginWorld::url, "s"); },
         "SourceReady=False/SourceAccessDenied Ready=False/SourceAccessDenied "
         "Stalled=True/SourceAccessDenied",
         false},
        {"a link",
         [](PluginWorld& w) {
             drivers::Tree tree;
             tree["a"].bytes = "x";
             tree["link"] = {drivers::File::Kind::symlink, false, "/etc/passwd"};
             w.git.commit(PluginWorld::url, tree);
         },
         "Verified=False/UnsafeContent Ready=False/UnsafeContent Stalled=True/UnsafeContent",
         false},
        {"nothing in it",
         [](PluginWorld& w) {
             w.push({{".complete", "x"}});
         },
         "Verified=False/UnsafeContent Ready=False/UnsafeContent Stalled=True/UnsafeContent",
         false},
        {"a manifest that is a lie",
         [](PluginWorld& w) {
             w.push({{"a", "1"}, {"manifest.json", "{\"sha256\":\"00\"}"}});
         },
         "Verified=False/IntegrityMismatch Ready=False/IntegrityMismatch "
         "Stalled=True/IntegrityMismatch",
         false},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        PluginWorld world;
        const std::string first = world.push_skill("a");
        world.make_plugin();
        world.settle();
        c.harm(world);
        world.pass(std::chrono::minutes(10));
        const auto outcome = world.reconcile_plugin();
        EXPECT_EQ(static_cast<bool>(outcome), !c.retried);
        if (outcome) {
            EXPECT_EQ(outcome->wake_at, world.now + std::chrono::minutes(10));
        }
        std::string conditions;
        const Plugin plugin = world.plugin();
        for (const char* type : {"SourceReady", "Verified", "Ready", "Reconciling", "Stalled"}) {
            const crds::Condition* found = plugin.status.find(type);
            if (!found) continue;
            const bool good = (found->type == "SourceReady" || found->type == "Verified") &&
                              found->status == crds::ConditionStatus::yes;
            if (good) continue;
            conditions += (conditions.empty() ? "" : " ") + found->type + "=" +
                          std::string(json::name_of(found->status)) + "/" + found->reason;
        }
        EXPECT_EQ(conditions, c.expected);
        EXPECT_EQ(plugin.status.approved->commit, first);
        EXPECT_TRUE(world.updates().empty());
        // It mends itself when upstream does.
        world.git.set_away(false);
        world.git.need_secret(PluginWorld::url, "");
        world.git.branch(PluginWorld::url, "main", first);
        world.pass(std::chrono::minutes(10));
        world.settle();
        EXPECT_TRUE(world.plugin().status.is_true("Ready"));
        EXPECT_EQ(world.plugin().status.find("Stalled"), nullptr);
    }
}

TEST(PluginReconciler, HoldsPluginYamlToItsDigest) {
    PluginWorld world;
    world.push({{"plugin.yaml", "name: x\n"}, {"a", "1"}});
    world.make_plugin("branch:main",
                      [](crds::PluginSpec& s) { s.sha256 = sha256_hex("name: x\n"); });
    world.settle();
    EXPECT_TRUE(world.plugin().status.is_true("Ready"));
    world.push({{"plugin.yaml", "name: y\n"}, {"a", "2"}});
    world.pass(std::chrono::minutes(10));
    world.settle();
    EXPECT_EQ(world.plugin().status.find("Verified")->reason, "IntegrityMismatch");
    EXPECT_TRUE(world.updates().empty());
}

TEST(PluginReconciler, ToleratesAMalformedPluginYaml) {
    PluginWorld world;
    world.push({{"plugin.yaml", "name: [\n"}, {"rules/a.md", "1"}});
    world.make_plugin();
    world.settle();
    EXPECT_TRUE(world.plugin().status.is_true("Ready"));
    EXPECT_TRUE(world.plugin().status.is_true("ManifestInvalid"));
}

TEST(PluginReconciler, FetchesALostTreeAgain) {
    PluginWorld world;
    world.push_skill("a");
    world.make_plugin();
    world.settle();
    const std::string digest = world.plugin().status.approved->digest;
    world.push_skill("b");
    world.trees.lose(digest);
    world.settle();
    EXPECT_TRUE(world.trees.get(digest));
}

TEST(PluginReconciler, AnUndecidedTargetThatIsLostForEverIsSuperseded) {
    PluginWorld world;
    world.push_skill("a");
    world.make_plugin();
    world.settle();
    const std::string second = world.push_skill("b");
    world.pass(std::chrono::minutes(10));
    world.settle();
    world.trees.lose(world.plugin().status.latest->digest);
    world.git.forget(PluginWorld::url, second);
    const std::string third = world.push_skill("c");
    world.pass(std::chrono::minutes(10));
    world.settle();
    EXPECT_EQ(world.read<PluginUpdate>("reviewer-" + id(third)).status.phase, UpdatePhase::pending);
    EXPECT_TRUE(world.plugin().status.is_true("Ready"));
}

TEST(PluginReconciler, IsWokenByAnInstallThatMissesItsFiles) {
    PluginWorld world;
    world.push_skill("a");
    world.make_plugin();
    world.settle();
    world.make_member("w", "canary");
    const auto woken = [&] {
        const auto object =
            world.store.get({"plugininstalls.atelier.dev", "default", "w.reviewer"});
        std::size_t keys = 0;
        for (const Interest& interest : world.plugins.interests()) {
            if (interest.resource != object->key.resource) continue;
            keys += interest.keys({store::Change::modified, 1, object, object}, world.store).size();
        }
        return keys;
    };
    EXPECT_EQ(woken(), 0u);
    const auto install = world.read<crds::PluginInstall>("w.reviewer");
    auto status = install.status;
    status.set({"Ready", crds::ConditionStatus::no, "WaitingForPlugin", "", std::nullopt, 1},
               world.now);
    ASSERT_TRUE(world.objects.report(install, status, world.now));
    EXPECT_EQ(woken(), 1u);
}

TEST(PluginReconciler, ReadsALocalFolder) {
    const support::TemporaryDirectory directory;
    const auto root = directory.path() / "reviewer";
    std::filesystem::create_directories(root / "rules");
    support::run({"sh", "-c", "echo x > " + (root / "rules/a.md").string()});
    PluginWorld world({directory.path(), ""});
    world.make_plugin("none", [](crds::PluginSpec& s) { s.source = "local://reviewer"; });
    world.settle();
    const Plugin plugin = world.plugin();
    ASSERT_TRUE(plugin.status.is_true("Ready")) << text(plugin);
    EXPECT_EQ(plugin.status.approved->commit, "");
    // Read again only when asked to; then a change is drift, named by its digest.
    support::run({"sh", "-c", "echo y > " + (root / "rules/a.md").string()});
    world.pass(std::chrono::hours(100));
    world.settle();
    EXPECT_TRUE(world.updates().empty());
    world.change<Plugin>("reviewer", [](Plugin& p) {
        p.meta.annotations["atelier.dev/reconcile-requested-at"] = "1";
    });
    world.settle();
    const std::string digest = world.plugin().status.latest->digest;
    EXPECT_EQ(text(world.updates()), "reviewer-" + digest.substr(0, 7) + " Pending");

    PluginWorld without;
    without.make_plugin("none", [](crds::PluginSpec& s) { s.source = "local://reviewer"; });
    without.settle();
    EXPECT_EQ(without.plugin().status.find("Ready")->reason, "UnsupportedSource");
}

TEST(PluginReconciler, GithubIsBelowAUrlOfTheServer) {
    PluginWorld world({"", "http://git.example/gh/"});
    drivers::Tree tree;
    tree["a"].bytes = "1";
    world.git.tag("http://git.example/gh/acme/x.git", "v1",
                  world.git.commit("http://git.example/gh/acme/x.git", tree));
    world.make_plugin("none", [](crds::PluginSpec& s) { s.source = "github://acme/x#v1"; });
    world.settle();
    EXPECT_TRUE(world.plugin().status.is_true("Ready")) << text(world.plugin());
}

TEST(PluginReconciler, LooksAtNothingWhileSuspended) {
    PluginWorld world;
    world.push_skill("a");
    world.make_plugin("branch:main", [](crds::PluginSpec& s) { s.suspend = true; });
    world.settle();
    EXPECT_TRUE(world.git.calls().empty());
    EXPECT_TRUE(world.plugin().status.is_true("Suspended"));
    world.change<Plugin>("reviewer", [](Plugin& p) { p.spec.suspend = false; });
    world.settle();
    EXPECT_TRUE(world.plugin().status.is_true("Ready"));
    EXPECT_EQ(world.plugin().status.find("Suspended"), nullptr);
}

// The law: whichever call fails, or is the last before a crash, trying again gets there, and then
// nothing is touched any more.
TEST(PluginReconciler, ConvergesThroughAnyOneFailureThenRests) {
    const auto scenario = [](const std::function<void(PluginWorld&)>& plan) {
        PluginWorld world;
        const std::string first = world.push_skill("a");
        world.make_plugin();
        plan(world);
        world.settle();
        const std::string second = world.push_skill("b");
        world.pass(std::chrono::minutes(10));
        world.settle();
        EXPECT_EQ(world.updates().size(), 1u);
        if (world.updates().size() != 1) return;
        EXPECT_EQ(world.plugin().status.approved->commit, first);
        world.decide("reviewer-" + id(second), crds::Decision::approve);
        world.settle();
        EXPECT_EQ(text(world.plugin()), "approved " + id(second) + "@main, latest " + id(second) +
                                            "@main, Ready=True/Resolved");
        EXPECT_EQ(text(world.updates()), "reviewer-" + id(second) + " Applied");
        const auto calls = world.git.calls();
        const Revision revision = world.store.revision();
        world.settle();
        EXPECT_EQ(world.git.calls(), calls);
        EXPECT_EQ(world.store.revision(), revision);
    };
    for (const char* call : {"refs", "fetch"}) {
        for (std::size_t nth = 1; nth <= 2; ++nth) {
            for (const auto when : {fakes::When::before, fakes::When::after}) {
                SCOPED_TRACE(std::string(call) + " " + std::to_string(nth));
                scenario([&](PluginWorld& w) { w.git.plan({call, nth, when, Code::unavailable}); });
            }
        }
    }
    for (int nth = 1; nth <= 14; ++nth) {
        for (const bool after : {false, true}) {
            SCOPED_TRACE("write " + std::to_string(nth) + (after ? " after" : " before"));
            scenario([&](PluginWorld& w) { w.store.fail_write(nth, after); });
        }
    }
}

}  // namespace
}  // namespace atelier::reconcilers
