#include <gtest/gtest.h>

#include "base/text.h"
#include "reconcilers/plugin_update/plan.h"
#include "tests/reconcilers/plugin_world.h"

namespace atelier::reconcilers {
namespace {

using crds::ConditionStatus;
using crds::PluginUpdate;
using crds::UpdatePhase;
using plugin_update::Member;
using plugin_update::Rollout;

const Instant noon = Instant(std::chrono::hours(24 * 365 * 55));
const Instant later = noon + std::chrono::hours(1);  // whoever was Ready at noon has stayed so

// One install at "old" or "new", as "name tier" and words about how it stands:
//   new        it was given the new version          delivered  … and has it
//   loaded     … and the agent says so               restarted  … and nobody says, but it restarted
//   unready    its workspace is not Ready            paused, suspended, orphan, denied, broken,
//   other
Member member(const std::string& description) {
    const auto words = split(description, ' ');
    const auto has = [&](const char* word) {
        return std::find(words.begin(), words.end(), word) != words.end();
    };
    Member m;
    m.install.meta.name = words[0] + ".p";
    m.install.meta.generation = 2;
    m.install.spec.workspace = words[0];
    m.install.spec.version.digest = has("new") ? "new" : has("other") ? "other" : "old";
    m.install.spec.suspend = has("suspended");
    auto& status = m.install.status;
    status.observed_generation = 2;
    status.desired = m.install.spec.version.digest;
    status.delivered = !has("new") || has("delivered") ? status.desired : "old";
    status.delivered_at = noon;
    status.last_change = has("hot") ? crds::ChangeClass::hot : crds::ChangeClass::cold;
    const auto set = [&](const char* type, ConditionStatus value, const char* reason) {
        status.set({type, value, reason, "because", std::nullopt, 2}, noon);
    };
    set("Effective",
        has("loaded")  ? ConditionStatus::yes
        : has("stale") ? ConditionStatus::no
                       : ConditionStatus::unknown,
        "Test");
    if (has("broken")) set("Stalled", ConditionStatus::yes, "DeliveryFailed");
    if (has("denied")) set("Stalled", ConditionStatus::yes, "Denied");
    if (has("external")) set("Stalled", ConditionStatus::yes, "Unsupported");
    if (has("orphan")) return m;
    crds::Workspace workspace;
    workspace.meta.name = words[0];
    workspace.spec.update_tier = words[1];
    if (has("paused")) workspace.spec.desired_state = crds::DesiredState::paused;
    workspace.status.started_at = noon + (has("restarted") ? 1 : -1) * std::chrono::minutes(1);
    workspace.status.set({"Ready", has("unready") ? ConditionStatus::no : ConditionStatus::yes,
                          "Test", "", std::nullopt, 1},
                         noon);
    m.workspace = workspace;
    return m;
}

std::string text(const Rollout& rollout) {
    if (rollout.failed) return "failed at " + rollout.failed->install.meta.name;
    std::string out = std::to_string(rollout.done) + "/" + std::to_string(rollout.total);
    if (rollout.tier.empty()) return out + " all done";
    out += " " + rollout.tier;
    if (!rollout.moves.empty()) out += ": " + join(rollout.moves, " ");
    if (!rollout.waits.empty()) out += ", waits for " + join(rollout.waits, " ");
    return out;
}

TEST(PluginUpdateRollout, Scenario34GoesTierByTier) {
    struct Case {
        const char* name;
        bool cold;
        std::vector<std::string> members;
        const char* expected;
    };
    const Case cases[] = {
        {"nobody has it", true, {}, "0/0 all done"},
        {"canary first", true, {"a production", "b canary", "c canary"}, "0/3 canary: b.p"},
        {"one at a time", true, {"b canary new", "c canary"}, "0/2 canary, waits for b"},
        {"delivered, but not restarted",
         true,
         {"b canary new delivered", "c canary"},
         "0/2 canary, waits for b"},
        {"an agent that has not loaded it",
         true,
         {"b canary new delivered restarted stale"},
         "0/1 canary, waits for b"},
        {"restarted, not ready",
         true,
         {"b canary new delivered restarted unready", "c canary"},
         "0/2 canary, waits for b"},
        {"restarted, nobody reports",
         true,
         {"b canary new delivered restarted", "c canary"},
         "1/2 canary: c.p"},
        {"loaded", true, {"b canary new delivered loaded", "c canary"}, "1/2 canary: c.p"},
        {"loaded, but not ready",
         true,
         {"b canary new delivered loaded unready", "c canary"},
         "0/2 canary, waits for b"},
        {"then production",
         true,
         {"a production", "b canary new delivered loaded"},
         "1/2 production: a.p"},
        {"all have it",
         true,
         {"a production new delivered loaded", "b canary new delivered loaded"},
         "2/2 all done"},
        {"hot: all of a tier at once",
         false,
         {"a production", "b canary", "c canary"},
         "0/3 canary: b.p c.p"},
        {"hot needs no restart",
         false,
         {"b canary new delivered hot", "a production"},
         "1/2 production: a.p"},
        {"hot, but canary is not ready",
         false,
         {"b canary new delivered hot unready", "a production"},
         "0/2 canary, waits for b"},
        {"hot for others, not for an older one",
         false,
         {"b canary other", "c canary"},
         "0/2 canary: b.p"},
        {"another is away already", true, {"b canary", "c canary unready"}, "0/2 canary: c.p"},
        {"nobody more while one is away",
         true,
         {"b canary", "c canary new delivered loaded unready"},
         "0/2 canary, waits for c"},
        {"paused ones are not waited for",
         true,
         {"b canary paused", "c canary paused", "a canary suspended", "d canary"},
         "0/4 canary: b.p c.p a.p d.p"},
        {"given to a paused one: done",
         true,
         {"b canary new paused", "a production"},
         "1/2 production: a.p"},
        {"without a workspace", true, {"b x orphan"}, "0/1 production: b.p"},
        {"denied ones are neither waited for nor counted",
         true,
         {"b canary new denied", "a production"},
         "0/1 production: a.p"},
        {"Fault21: an external workspace does not count as updated",
         true,
         {"b canary new external", "a production new delivered loaded"},
         "1/1 all done"},
        {"one that fails", true, {"b canary new broken", "a production"}, "failed at b.p"},
        {"it failed before already", true, {"b canary broken"}, "0/1 canary: b.p"},
        {"an unknown tier", true, {"a production", "b beta"}, "0/2 beta: b.p"},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        std::vector<Member> members;
        for (const std::string& description : c.members) members.push_back(member(description));
        EXPECT_EQ(text(roll_out(members, {"old", "new", c.cold}, {}, later)), c.expected);
    }
}

TEST(PluginUpdateRollout, ObeysUpdateTiers) {
    const std::vector<Member> members = {member("a first"), member("b first"), member("c first"),
                                         member("d canary")};
    std::map<std::string, crds::UpdateTierSpec> tiers;
    tiers["first"] = {.order = -5, .max_unavailable = 2};
    tiers["canary"] = {.order = 7, .max_unavailable = 1};
    EXPECT_EQ(text(roll_out(members, {"old", "new", true}, tiers, later)), "0/4 first: a.p b.p");
    tiers["first"].max_unavailable = 0;  // never nothing: it would stand still for ever
    EXPECT_EQ(text(roll_out(members, {"old", "new", true}, tiers, later)), "0/4 first: a.p");
    tiers["first"].order = 8;
    EXPECT_EQ(text(roll_out(members, {"old", "new", true}, tiers, later)), "0/4 canary: d.p");
}

TEST(PluginUpdateRollout, LeavesInstallsAloneThatAreGoing) {
    std::vector<Member> members = {member("a canary")};
    members[0].install.meta.deleted_at = noon;
    EXPECT_EQ(text(roll_out(members, {"old", "new", true}, {}, later)), "0/0 all done");
}

class PluginUpdatePlan : public testing::Test {
  protected:
    PluginUpdatePlan() {
        update_.meta.name = "p-new";
        update_.spec.plugin = "p";
        update_.spec.from = {"", "old", ""};
        update_.spec.to = {"", "new", ""};
        update_.status.change_class = "Cold";
        observed_.plugin.emplace();
        observed_.plugin->status.approved = {"", "old", ""};
        observed_.plugin->status.latest = {"", "new", ""};
    }
    std::string run() {
        const auto plan = plugin_update::plan(update_, observed_, now_);
        std::string out(json::name_of(plan.status.phase));
        const crds::Condition* ready = plan.status.find("Ready");
        if (ready) out += " " + ready->reason;
        if (!plan.moves.empty()) out += ", moves " + join(plan.moves, " ");
        for (const auto& event : plan.events) out += ", event " + event.reason;
        return out;
    }
    PluginUpdate update_;
    plugin_update::Observed observed_;
    Instant now_ = later;
};

TEST_F(PluginUpdatePlan, WaitsForADecision) {
    observed_.members = {member("a canary")};
    EXPECT_EQ(run(), "Pending AwaitingDecision");
    observed_.plugin.reset();
    EXPECT_EQ(run(), "Pending AwaitingDecision");
}

TEST_F(PluginUpdatePlan, IsSupersededWhileUndecided) {
    observed_.plugin->status.latest = {"", "newer", ""};
    EXPECT_EQ(run(), "Superseded Superseded, event Superseded");
    // What was approved is installed, or nothing: upstream does not matter any more.
    update_.spec.decision = crds::Decision::approve;
    observed_.members = {member("a canary")};
    EXPECT_EQ(run(), "RollingOut RollingOut, moves a.p, event UpdateApproved, event RollingOut");
    update_.spec.decision = crds::Decision::none;
    observed_.plugin->status.latest = {"", "new", ""};
    observed_.plugin->status.approved = {"", "new", ""};
    EXPECT_EQ(run(), "Superseded Superseded, event Superseded");
}

TEST_F(PluginUpdatePlan, EndsByDecision) {
    update_.spec.decision = crds::Decision::dismiss;
    observed_.members = {member("a canary")};
    EXPECT_EQ(run(), "Dismissed Dismissed, event Dismissed");
    update_.spec.decision = crds::Decision::approve;
    observed_.members = {member("a canary new delivered loaded")};
    EXPECT_EQ(run(), "Applied Applied, event UpdateApproved, event Applied");
    observed_.members = {};
    EXPECT_EQ(run(), "Applied Applied, event UpdateApproved, event Applied");
    observed_.members = {member("a canary new broken"), member("b canary")};
    EXPECT_EQ(run(), "Failed InstallFailed, event UpdateApproved, event InstallFailed");
    update_.status.change_class = "";
    EXPECT_EQ(run(), "Approved WaitingForPlugin, event UpdateApproved");
}

TEST(PluginUpdateRollout, NobodyCountsBeforeHavingBeenReadyForLongEnough) {
    using std::chrono::seconds;
    // Restarted and Ready one minute after noon.
    const auto at = [](const char* tier, Duration after) {
        Member restarted = member("b " + std::string(tier) + " new delivered restarted");
        restarted.workspace->status.conditions.clear();
        restarted.workspace->status.set({"Ready", ConditionStatus::yes, "Test", "", {}, 1},
                                        noon + seconds(60));
        return plugin_update::roll_out({restarted}, {"old", "new", true}, {},
                                       noon + seconds(60) + after);
    };
    EXPECT_EQ(text(at("canary", seconds(29))), "0/1 canary, waits for b");
    EXPECT_EQ(at("canary", seconds(29)).wake_at, noon + seconds(90));
    EXPECT_EQ(text(at("canary", seconds(30))), "1/1 all done");
    EXPECT_EQ(text(at("production", seconds(9))), "0/1 production, waits for b");
    EXPECT_EQ(text(at("production", seconds(10))), "1/1 all done");
}

TEST_F(PluginUpdatePlan, ARolloutThatWaitsForReadinessLooksAgainByItself) {
    update_.spec.decision = crds::Decision::approve;
    Member restarted = member("b canary new delivered restarted");
    restarted.workspace->status.conditions.clear();
    restarted.workspace->status.set({"Ready", ConditionStatus::yes, "Test", "", {}, 1},
                                    noon + std::chrono::seconds(60));
    observed_.members = {restarted};
    const Instant now = noon + std::chrono::seconds(70);
    EXPECT_EQ(plugin_update::plan(update_, observed_, now).wake_at,
              noon + std::chrono::seconds(90));
}

TEST_F(PluginUpdatePlan, AMemberThatFailsAfterItWasCountedStopsTheRollout) {
    update_.spec.decision = crds::Decision::approve;
    update_.status.phase = UpdatePhase::rolling_out;
    update_.status.decided_at = noon;
    update_.status.updated = 1;
    Member broken = member("a canary new delivered restarted unready");
    broken.workspace->status.set(
        {"Healthy", ConditionStatus::no, "CrashLoop", "exit code 3", {}, 1}, noon);
    observed_.members = {broken, member("b production")};
    EXPECT_EQ(run(), "Failed UpdateBroke, event UpdateBroke");
    // One that was never counted is waited for; nobody else gets the version meanwhile.
    update_.status.updated = 0;
    EXPECT_EQ(run(), "RollingOut RollingOut");
}

TEST_F(PluginUpdatePlan, Fault21AppliedSaysWhoCannotReceiveIt) {
    update_.spec.decision = crds::Decision::approve;
    observed_.members = {member("a canary new delivered loaded"),
                         member("far canary new external")};
    const auto plan = plugin_update::plan(update_, observed_, now_);
    EXPECT_EQ(plan.status.find("Ready")->message,
              "new is in 1 installs; it cannot be delivered to far");
}

TEST_F(PluginUpdatePlan, WhatHasEndedStaysSo) {
    update_.spec.decision = crds::Decision::approve;
    observed_.members = {member("a canary")};
    for (const UpdatePhase phase :
         {UpdatePhase::dismissed, UpdatePhase::failed, UpdatePhase::superseded}) {
        update_.status.phase = phase;
        EXPECT_EQ(run(), std::string(json::name_of(phase)));
    }
}

TEST_F(PluginUpdatePlan, AnAppliedUpdateTakesTheOnesMadeMeanwhileAlong) {
    update_.spec.decision = crds::Decision::approve;
    update_.status.phase = UpdatePhase::applied;
    update_.status.decided_at = noon;
    observed_.plugin->status.approved = {"", "new", ""};
    Member early = member("a canary");
    early.install.meta.created_at = noon - std::chrono::hours(1);
    Member late = member("b canary");
    late.install.meta.created_at = noon + std::chrono::seconds(1);
    observed_.members = {early, late};
    EXPECT_EQ(run(), "Applied, moves b.p");
    observed_.plugin->status.approved = {"", "newest", ""};
    EXPECT_EQ(run(), "Applied");
}

TEST(PluginUpdateCompare, SaysWhatChanges) {
    drivers::Tree from, to;
    from["skills/a/SKILL.md"].bytes = "1";
    to["skills/a/SKILL.md"].bytes = "2";
    auto comparison = plugin_update::compare(from, to);
    EXPECT_EQ(comparison.change, crds::ChangeClass::hot);
    EXPECT_TRUE(comparison.capabilities.added.empty());
    to["hooks/pre.sh"] = {drivers::File::Kind::regular, true, "x"};
    from["rules/r.md"].bytes = "x";
    comparison = plugin_update::compare(from, to);
    EXPECT_EQ(comparison.change, crds::ChangeClass::cold);
    EXPECT_EQ(join(comparison.capabilities.added, " "), "executable:hooks/pre.sh hook:pre.sh");
    EXPECT_EQ(join(comparison.capabilities.removed, " "), "rule:r");
    EXPECT_EQ(join(comparison.changed_files, ", "),
              "A hooks/pre.sh, D rules/r.md, M skills/a/SKILL.md");
    for (int i = 0; i < 200; ++i) to["f" + std::to_string(i)].bytes = "x";
    EXPECT_EQ(plugin_update::compare(from, to).changed_files.size(), 100u);
}

class PluginUpdateInAWorld : public testing::Test {
  protected:
    PluginUpdateInAWorld() {
        world_.push_skill("a");
        world_.make_plugin();
        world_.settle();
        world_.make_member("w1", "production");
        world_.make_member("w2", "production");
        world_.make_member("w3", "canary");
        world_.settle();
    }
    // Upstream moves, and the update is approved at once.
    void approve(const std::string& commit) {
        world_.pass(std::chrono::minutes(10));
        world_.settle();
        name_ = "reviewer-" + commit.substr(0, 7);
        EXPECT_EQ(world_.undelivered(), "") << "nothing unapproved goes anywhere";
        world_.decide(name_, crds::Decision::approve);
        world_.settle();
    }
    PluginUpdate update() { return world_.read<PluginUpdate>(name_); }
    std::string progress() {
        return std::string(json::name_of(update().status.phase)) + " " + update().status.progress;
    }
    void deliver(const std::string& workspace) {
        world_.deliver(workspace);
        world_.settle();
    }
    PluginWorld world_;
    std::string name_;
};

TEST_F(PluginUpdateInAWorld, ColdChangesRestartOneWorkspaceAfterTheOther) {
    approve(world_.push_hook("x"));
    EXPECT_EQ(update().status.change_class, "Cold");
    EXPECT_EQ(world_.undelivered(), "w3");
    EXPECT_EQ(progress(), "RollingOut 0/3");
    world_.set_ready("w3", false);
    world_.deliver("w3");
    world_.settle();
    EXPECT_EQ(world_.undelivered(), "") << "canary is not ready again yet";
    world_.set_ready("w3", true);
    world_.settle();
    EXPECT_EQ(world_.undelivered(), "w1");
    deliver("w1");
    EXPECT_EQ(progress(), "RollingOut 2/3");
    EXPECT_EQ(world_.undelivered(), "w2");
    EXPECT_NE(world_.plugin().status.approved->digest, update().spec.to.digest);
    deliver("w2");
    EXPECT_EQ(progress(), "Applied 3/3");
    EXPECT_EQ(world_.plugin().status.approved->digest, update().spec.to.digest);
    EXPECT_EQ(world_.plugin().status.version, "2.0.0");
    EXPECT_EQ(join(world_.plugin().status.capabilities.hooks, " "), "pre.sh");
    EXPECT_EQ(world_.plugin().status.pending_update, "");
}

TEST_F(PluginUpdateInAWorld, HotChangesReachATierAtOnce) {
    approve(world_.push_skill("b"));
    EXPECT_EQ(update().status.change_class, "Hot");
    EXPECT_EQ(world_.undelivered(), "w3");
    deliver("w3");
    EXPECT_EQ(world_.undelivered(), "w1 w2");
    deliver("w2");
    deliver("w1");
    EXPECT_EQ(progress(), "Applied 3/3");
}

TEST_F(PluginUpdateInAWorld, Scenario33InstallsExactlyWhatWasApproved) {
    approve(world_.push_skill("b"));
    const std::string approved = update().spec.to.commit;
    world_.push_skill("c");
    world_.pass(std::chrono::minutes(10));
    world_.settle();
    EXPECT_EQ(world_.updates().size(), 1u) << "one open update at a time";
    for (const char* workspace : {"w3", "w1", "w2"}) {
        EXPECT_EQ(world_.read<crds::PluginInstall>(std::string(workspace) + ".reviewer")
                      .spec.version.commit,
                  approved);
        deliver(workspace);
    }
    EXPECT_EQ(progress(), "Applied 3/3");
    EXPECT_EQ(world_.updates().size(), 2u) << "and now the next one is asked about";
}

TEST_F(PluginUpdateInAWorld, AFailureStopsItAndLeavesTheOthers) {
    approve(world_.push_hook("x"));
    const auto install = world_.read<crds::PluginInstall>("w3.reviewer");
    auto status = install.status;
    status.observed_generation = install.meta.generation;
    status.set({"Stalled", ConditionStatus::yes, "DeliveryFailed", "no", std::nullopt, 2},
               world_.now);
    ASSERT_TRUE(world_.objects.report(install, status, world_.now));
    world_.settle();
    EXPECT_EQ(update().status.phase, UpdatePhase::failed);
    EXPECT_EQ(world_.undelivered(), "w3");
    for (int i = 0; i < 3; ++i) {
        world_.pass(std::chrono::minutes(10));
        world_.settle();
    }
    EXPECT_EQ(world_.updates().size(), 1u) << "the same version is not asked about again";
    // A fix moves everybody on.
    const std::string fix = world_.push_skill("b");
    world_.pass(std::chrono::minutes(10));
    world_.settle();
    name_ = "reviewer-" + fix.substr(0, 7);
    world_.decide(name_, crds::Decision::approve);
    world_.settle();
    EXPECT_EQ(world_.read<crds::PluginInstall>("w3.reviewer").spec.version.commit, fix);
}

TEST_F(PluginUpdateInAWorld, AnInstallMadeMeanwhileIsTakenAlong) {
    const auto before = *world_.plugin().status.approved;
    approve(world_.push_skill("b"));
    for (const char* workspace : {"w3", "w1", "w2"}) deliver(workspace);
    EXPECT_EQ(progress(), "Applied 3/3");
    // Made by somebody who had read the Plugin before that.
    crds::WorkspaceSpec spec;
    spec.workspace_key = spec.display_name = "w4";
    world_.make<crds::Workspace>("w4", spec);
    world_.make<crds::PluginInstall>("w4.reviewer", {"w4", "reviewer", before, false});
    world_.settle();
    EXPECT_EQ(world_.read<crds::PluginInstall>("w4.reviewer").spec.version.digest,
              update().spec.to.digest);
}

TEST_F(PluginUpdateInAWorld, Fault21AnInstallOfAnyNameGetsUpdates) {
    const auto before = *world_.plugin().status.approved;
    crds::WorkspaceSpec spec;
    spec.workspace_key = spec.display_name = "w5";
    world_.make<crds::Workspace>("w5", spec);
    world_.set_ready("w5", true);
    auto by_hand = world_.make<crds::PluginInstall>("by-hand", {"w5", "reviewer", before, false});
    by_hand.status.desired = by_hand.status.delivered = before.digest;
    ASSERT_TRUE(world_.objects.report(world_.read<crds::PluginInstall>("by-hand"), by_hand.status,
                                      world_.now));
    world_.settle();
    EXPECT_EQ(world_.plugin().status.installs, 4);
    approve(world_.push_skill("b"));
    deliver("w3");  // the canary
    EXPECT_EQ(world_.read<crds::PluginInstall>("by-hand").spec.version.digest,
              update().spec.to.digest);
}

TEST_F(PluginUpdateInAWorld, WakesForWhatItReadsAndForNothingElse) {
    approve(world_.push_hook("x"));
    const auto interests = world_.plugin_updates.interests();
    const auto woken = [&](std::string_view resource, const std::string& name) {
        const std::string ns = "default";
        const auto object = world_.store.get({std::string(resource), ns, name});
        CHECK(object);
        std::string out;
        for (const Interest& interest : interests) {
            if (interest.resource != resource) continue;
            for (const Key& key :
                 interest.keys({store::Change::added, 1, object, nullptr}, world_.store)) {
                out += key.name;
            }
            out += interest.keys({store::Change::modified, 1, object, object}, world_.store).empty()
                       ? ""
                       : "!";
        }
        return out;
    };
    EXPECT_EQ(woken("workspaces.atelier.dev", "w1"), name_) << "an unchanged workspace is no news";
    EXPECT_EQ(woken("plugininstalls.atelier.dev", "w1.reviewer"), name_ + "!");
    EXPECT_EQ(woken("plugins.atelier.dev", "reviewer"), name_ + "!");
}

// The law, for every write on the way.
TEST(PluginUpdateReconciler, ConvergesThroughAnyOneFailureThenRests) {
    for (int nth = 1; nth <= 12; ++nth) {
        for (const bool after : {false, true}) {
            SCOPED_TRACE("write " + std::to_string(nth) + (after ? " after" : " before"));
            PluginWorld world;
            world.push_skill("a");
            world.make_plugin();
            world.settle();
            for (const auto& [name, tier] :
                 {std::pair{"w1", "production"}, {"w2", "production"}, {"w3", "canary"}}) {
                world.make_member(name, tier);
            }
            world.settle();
            const std::string commit = world.push_hook("x");
            world.pass(std::chrono::minutes(10));
            world.settle();
            world.decide("reviewer-" + commit.substr(0, 7), crds::Decision::approve);
            world.store.fail_write(nth, after);
            std::string order;
            for (int i = 0; i < 10; ++i) {
                world.settle();
                const std::string next = world.undelivered();
                if (next.empty()) break;
                EXPECT_EQ(next.find(' '), std::string::npos) << "one at a time";
                order += next + " ";
                auto delivered = world.read<crds::PluginInstall>(next + ".reviewer");
                while (world.undelivered() == next) {
                    // The stand-in's own write may be the one that fails.
                    auto status = delivered.status;
                    status.observed_generation = delivered.meta.generation;
                    status.desired = status.delivered = delivered.spec.version.digest;
                    if (world.objects.report(delivered, status, world.now)) break;
                    delivered = world.read<crds::PluginInstall>(next + ".reviewer");
                }
            }
            EXPECT_EQ(order, "w3 w1 w2 ");
            EXPECT_EQ(world.updates()[0].status.phase, UpdatePhase::applied);
            const Revision revision = world.store.revision();
            world.settle();
            EXPECT_EQ(world.store.revision(), revision);
        }
    }
}

}  // namespace
}  // namespace atelier::reconcilers
