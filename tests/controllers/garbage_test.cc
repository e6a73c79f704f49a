#include "controllers/garbage.h"

#include <gtest/gtest.h>

#include "tests/controllers/world.h"
#include "tests/fakes/faulty_store.h"

namespace atelier::controllers {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

class GarbageTest : public ::testing::Test {
  protected:
    GarbageTest() { crds::add_core_kinds(kinds_); }

    Key config(const std::string& name, const std::string& ns = "default") const {
        return {"configmaps", ns, name};
    }
    // A ConfigMap with this uid, and metadata beside it as JSON members.
    store::ObjectPtr make(const std::string& name, const std::string& more = "") {
        return world_.put(config(name), R"(,"uid":"uid-)" + name + "\"" + more);
    }
    static std::string owned_by(const std::string& owner, const std::string& uid,
                                bool block = false) {
        return R"(,"ownerReferences":[{"apiVersion":"v1","kind":"ConfigMap","name":")" + owner +
               R"(","uid":")" + uid + R"(","blockOwnerDeletion":)" + (block ? "true" : "false") +
               "}]";
    }
    void collect() {
        for (int i = 0; i < 20 && garbage_.collect(world_.clock.now()); ++i) continue;
    }
    bool exists(const std::string& name) const {
        return world_.store->get(config(name)) != nullptr;
    }

    World world_;
    crds::Kinds kinds_;
    Garbage garbage_{*world_.store, kinds_, Log()};
};

TEST_F(GarbageTest, ADependentGoesWithTheLastOfItsOwners) {
    make("owner");
    make("dependent", owned_by("owner", "uid-owner"));
    make("grandchild", owned_by("dependent", "uid-dependent"));
    make("free");
    collect();
    EXPECT_TRUE(exists("dependent"));
    world_.remove(config("owner"));
    collect();
    EXPECT_FALSE(exists("dependent"));
    EXPECT_FALSE(exists("grandchild"));
    EXPECT_TRUE(exists("free"));
}

TEST_F(GarbageTest, AnOwnerIsKnownByItsUidNotItsName) {
    make("owner");
    make("stranger", owned_by("owner", "uid-of-an-earlier-one"));
    make("child", owned_by("owner", "uid-owner"));
    collect();
    EXPECT_FALSE(exists("stranger"));
    EXPECT_TRUE(exists("child"));
}

TEST_F(GarbageTest, AnOwnerOfAnUnknownKindIsNotJudged) {
    make("child", R"(,"ownerReferences":[{"apiVersion":"x/v1","kind":"Y","name":"y","uid":"u"}])");
    collect();
    EXPECT_TRUE(exists("child"));
}

TEST_F(GarbageTest, ForegroundWaitsForDependentsThatBlock) {
    const std::string deleted = R"(,"deletionTimestamp":"2026-01-01T00:00:00Z")";
    make("owner", deleted + R"(,"finalizers":["foregroundDeletion"])");
    make("held", owned_by("owner", "uid-owner", true) + R"(,"finalizers":["test/hold"])");
    collect();
    EXPECT_TRUE(exists("owner"));
    ASSERT_TRUE(exists("held"));
    EXPECT_TRUE(world_.store->get(config("held"))->meta.deleted_at);
    world_.remove(config("held"));
    collect();
    EXPECT_FALSE(exists("owner"));
}

TEST_F(GarbageTest, OrphanReleasesDependents) {
    make("owner", R"(,"deletionTimestamp":"2026-01-01T00:00:00Z","finalizers":["orphan"])");
    make("child", owned_by("owner", "uid-owner"));
    collect();
    EXPECT_FALSE(exists("owner"));
    ASSERT_TRUE(exists("child"));
    EXPECT_TRUE(world_.store->get(config("child"))->meta.owners.empty());
}

TEST_F(GarbageTest, ANamespaceGoesWhenItIsEmpty) {
    world_.put({"namespaces", "", "team"},
               R"(,"uid":"n","deletionTimestamp":"2026-01-01T00:00:00Z")",
               R"({"finalizers":["kubernetes"]})");
    world_.put(config("inside", "team"), R"(,"uid":"i","finalizers":["test/hold"])");
    make("outside");
    collect();
    ASSERT_TRUE(world_.store->get(config("inside", "team")));
    EXPECT_TRUE(world_.store->get(config("inside", "team"))->meta.deleted_at);
    EXPECT_TRUE(world_.store->get({"namespaces", "", "team"}));
    world_.remove(config("inside", "team"));
    collect();
    EXPECT_FALSE(world_.store->get({"namespaces", "", "team"}));
    EXPECT_TRUE(exists("outside"));
}

TEST_F(GarbageTest, EventsGoAfterTheirTime) {
    const Key event{"events", "default", "happened"};
    world_.put(event, R"(,"uid":"e","creationTimestamp":")" + rfc3339(world_.clock.now()) + "\"");
    collect();
    EXPECT_TRUE(world_.store->get(event));
    world_.clock.advance(minutes(59));
    collect();
    EXPECT_TRUE(world_.store->get(event));
    world_.clock.advance(minutes(3));
    collect();
    EXPECT_FALSE(world_.store->get(event));
}

TEST_F(GarbageTest, Fault10_AnObjectHasABoundedNumberOfEvents) {
    for (int i = 0; i < 130; ++i) {
        world_.put({"events", "default", "e" + std::to_string(i)},
                   R"(,"creationTimestamp":")" + rfc3339(world_.clock.now()) + "\"",
                   R"({},"involvedObject":{"uid":"noisy"})");
    }
    world_.put({"events", "default", "other"}, "", R"({},"involvedObject":{"uid":"quiet"})");
    collect();
    EXPECT_EQ(world_.store->list("events")->objects.size(), 101u);
    EXPECT_FALSE(world_.store->get({"events", "default", "e29"}));
    EXPECT_TRUE(world_.store->get({"events", "default", "e30"})) << "the newest ones stay";
    EXPECT_TRUE(world_.store->get({"events", "default", "other"}));
}

TEST_F(GarbageTest, Fault10_APluginHasABoundedNumberOfEndedUpdates) {
    crds::Kinds kinds = *crds::atelier_kinds();
    Garbage garbage(*world_.store, kinds, Log());
    for (int i = 0; i < 30; ++i) {
        const std::string phase = i % 10 == 9 ? "Pending" : "Superseded";
        world_.put({"pluginupdates.atelier.dev", "default", "u" + std::to_string(i)}, "",
                   R"({"plugin":"p"},"status":{"phase":")" + phase + "\"}");
    }
    while (garbage.collect(world_.clock.now())) continue;
    const auto left = world_.store->list("pluginupdates.atelier.dev");
    EXPECT_EQ(left->objects.size(), 23u) << "20 that have ended, and 3 that are open";
    EXPECT_FALSE(left->objects.find("default", "u6"));
    EXPECT_TRUE(left->objects.find("default", "u7"));
    EXPECT_TRUE(left->objects.find("default", "u9"));
}

TEST_F(GarbageTest, Fault19_AClockThatWasSetBackPutsNoSweepOff) {
    collect();
    for (const auto step : {minutes(2), minutes(600), minutes(60 * 24 * 366 * 5)}) {
        const Key event{"events", "default", "happened"};
        world_.clock.advance(-step);
        world_.put(event, R"(,"creationTimestamp":")" + rfc3339(world_.clock.now()) + "\"");
        world_.clock.advance(minutes(61));
        collect();
        EXPECT_FALSE(world_.store->get(event)) << step.count() << " minutes";
        // What a clock wrote that was far ahead is not kept for years.
        world_.put(event, R"(,"creationTimestamp":")" +
                              rfc3339(world_.clock.now() + hours(24 * 366 * 5)) + "\"");
        world_.clock.advance(minutes(2));
        collect();
        EXPECT_FALSE(world_.store->get(event));
    }
}

// A write that fails must lead back to the object that waits for it.
TEST_F(GarbageTest, Fault22_AForegroundDeletionGoesOnAfterALostWrite) {
    fakes::FaultyStore faulty(*world_.store);
    Garbage garbage(faulty, kinds_, Log());
    make("owner",
         R"(,"deletionTimestamp":"2026-01-01T00:00:00Z","finalizers":["foregroundDeletion"])");
    make("one", owned_by("owner", "uid-owner", true));
    make("two", owned_by("owner", "uid-owner", true));
    faulty.fail_write(1, false);
    for (int i = 0; i < 20; ++i) garbage.collect(world_.clock.now());
    EXPECT_FALSE(exists("one"));
    EXPECT_FALSE(exists("two"));
    EXPECT_FALSE(exists("owner"));
}

TEST_F(GarbageTest, Fault22_ANamespaceGoesOnAfterALostWrite) {
    fakes::FaultyStore faulty(*world_.store);
    Garbage garbage(faulty, kinds_, Log());
    world_.put({"namespaces", "", "team"},
               R"(,"uid":"n","deletionTimestamp":"2026-01-01T00:00:00Z")",
               R"({"finalizers":["kubernetes"]})");
    world_.put(config("inside", "team"), R"(,"uid":"i")");
    faulty.fail_write(1, false);
    for (int i = 0; i < 20; ++i) garbage.collect(world_.clock.now());
    EXPECT_FALSE(world_.store->get(config("inside", "team")));
    EXPECT_FALSE(world_.store->get({"namespaces", "", "team"}));
}

TEST_F(GarbageTest, Fault22_AReleasedDependentHasNoEmptyListOfOwners) {
    make("owner", R"(,"deletionTimestamp":"2026-01-01T00:00:00Z","finalizers":["orphan"])");
    make("child", owned_by("owner", "uid-owner"));
    collect();
    EXPECT_FALSE(exists("owner"));
    ASSERT_TRUE(exists("child"));
    EXPECT_EQ(world_.store->get(config("child"))->body.find("ownerReferences"), std::string::npos);
}

TEST_F(GarbageTest, Fault22_AStuckNamespaceSaysWhatIsLeftInIt) {
    const Key team{"namespaces", "", "team"};
    world_.put(team, R"(,"uid":"n","deletionTimestamp":"2026-01-01T00:00:00Z")",
               R"({"finalizers":["kubernetes"]})");
    world_.put(config("one", "team"), R"(,"uid":"1","finalizers":["test/hold"])");
    world_.put(config("two", "team"), R"(,"uid":"2","finalizers":["test/hold","test/more"])");
    world_.put({"secrets", "team", "three"}, R"(,"uid":"3")");
    collect();
    const auto stuck = world_.store->get(team);
    ASSERT_TRUE(stuck);
    for (const std::string_view said :
         {R"("type":"NamespaceContentRemaining","status":"True")",
          R"("reason":"SomeResourcesRemain")",
          "Some resources are remaining: configmaps has 2 resource instances",
          "Some content in the namespace has finalizers remaining: test/hold in 2 resource "
          "instances, test/more in 1 resource instances",
          R"("type":"NamespaceDeletionContentFailure","status":"False")"}) {
        EXPECT_NE(stuck->body.find(said), std::string::npos) << said << "\n" << stuck->body;
    }
    collect();
    EXPECT_EQ(world_.store->get(team), stuck) << "the same is not written again";
}

TEST_F(GarbageTest, Fault11_WhatIsNestedTooDeeplyToBeReadCanBeDeleted) {
    // As an earlier release stored it.
    const Key deep = config("deep", "team");
    std::string inner = "1";
    for (int i = 0; i < 300; ++i) inner = "[" + inner + "]";
    store::Write write;
    write.key = deep;
    write.body.text = R"({"metadata":{"name":"deep","namespace":"team","uid":"d",)"
                      R"("resourceVersion":""},"data":)" +
                      inner + "}";
    write.body.revision_at = write.body.text.find("\"\"}") + 1;
    ASSERT_TRUE(store::write_and_wait(*world_.store, write));
    world_.put({"namespaces", "", "team"},
               R"(,"uid":"n","deletionTimestamp":"2026-01-01T00:00:00Z")",
               R"({"finalizers":["kubernetes"]})");
    collect();
    EXPECT_FALSE(world_.store->get(deep));
    EXPECT_FALSE(world_.store->get({"namespaces", "", "team"}));
}

TEST_F(GarbageTest, AFreshCollectorFindsWhatItsPredecessorLeft) {
    make("child", owned_by("gone", "uid-gone"));
    Garbage fresh(*world_.store, kinds_, Log());
    while (fresh.collect(world_.clock.now())) continue;
    EXPECT_FALSE(exists("child"));
}

}  // namespace
}  // namespace atelier::controllers
