#include "controllers/garbage.h"

#include <gtest/gtest.h>

#include "tests/controllers/world.h"

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

TEST_F(GarbageTest, AFreshCollectorFindsWhatItsPredecessorLeft) {
    make("child", owned_by("gone", "uid-gone"));
    Garbage fresh(*world_.store, kinds_, Log());
    while (fresh.collect(world_.clock.now())) continue;
    EXPECT_FALSE(exists("child"));
}

}  // namespace
}  // namespace atelier::controllers
