#include "reconcilers/common/objects.h"

#include <gtest/gtest.h>

#include "tests/reconcilers/org_world.h"

namespace atelier::reconcilers {
namespace {

class ObjectsTest : public testing::Test {
  protected:
    crds::Workspace make(const std::string& name, std::vector<std::string> finalizers = {}) {
        crds::Meta meta;
        meta.name = name;
        meta.ns = "default";
        meta.finalizers = std::move(finalizers);
        auto made = world.objects.create<crds::Workspace>(meta, {}, now());
        CHECK(made);
        return *made;
    }
    Instant now() const { return world.clock.now(); }

    OrgWorld world;
};

TEST_F(ObjectsTest, ACreatedObjectIsDefaultedAndHasItsIdentity) {
    const auto made = make("a");
    EXPECT_FALSE(made.meta.uid.empty());
    EXPECT_EQ(made.meta.generation, 1);
    EXPECT_GT(made.meta.revision, 0);
    EXPECT_EQ(made.spec.runtime, "langgraph");
    crds::Meta meta;
    meta.name = "a";
    meta.ns = "default";
    EXPECT_EQ(world.objects.create<crds::Workspace>(meta, {}, now()).error().code,
              Code::already_exists);
}

TEST_F(ObjectsTest, AnInvalidObjectIsRefused) {
    crds::Meta meta;
    meta.name = "a";
    meta.ns = "default";
    crds::WorkspaceSpec spec;
    spec.tier = 9;
    const auto made = world.objects.create<crds::Workspace>(meta, spec, now());
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().code, Code::invalid);
    EXPECT_NE(made.error().message.find("a"), std::string::npos);
}

TEST_F(ObjectsTest, AWriteThatChangesNothingIsNotMade) {
    auto object = make("a");
    const Revision before = world.store.revision();
    ASSERT_TRUE(world.objects.update(object, now()));
    EXPECT_EQ(world.store.revision(), before);

    auto status = object.status;
    status.container = "ws-1";
    EXPECT_TRUE(*world.objects.report(object, status, now()));
    object = world.read<crds::Workspace>("a");
    EXPECT_EQ(object.status.container, "ws-1");
    EXPECT_EQ(object.meta.generation, 1) << "status does not count";
    EXPECT_FALSE(*world.objects.report(object, status, now()));

    object.spec.model = "sonnet";
    object.status.container = "from nowhere";
    object = *world.objects.update(object, now());
    EXPECT_EQ(object.meta.generation, 2);
    EXPECT_EQ(object.status.container, "ws-1") << "update leaves status alone";
}

TEST_F(ObjectsTest, AStaleWriteIsAConflict) {
    const auto stale = make("a");
    auto object = stale;
    object.spec.model = "x";
    ASSERT_TRUE(world.objects.update(object, now()));
    object.spec.model = "y";
    EXPECT_EQ(world.objects.update(object, now()).error().code, Code::conflict);
    auto status = stale.status;
    status.container = "c";
    EXPECT_EQ(world.objects.report(stale, status, now()).error().code, Code::conflict);
}

TEST_F(ObjectsTest, DeletionWaitsForFinalizers) {
    auto object = make("a", {"x.example/y"});
    ASSERT_TRUE(world.objects.remove(object, now()));
    object = world.read<crds::Workspace>("a");
    EXPECT_TRUE(object.being_deleted());
    const Revision before = world.store.revision();
    ASSERT_TRUE(world.objects.remove(object, now()));
    EXPECT_EQ(world.store.revision(), before) << "asking again changes nothing";
    ASSERT_TRUE(world.objects.release(object, "x.example/y", now()));
    EXPECT_EQ(world.workspaces(), "");
}

TEST_F(ObjectsTest, DeletionIsOfThatVeryObject) {
    const auto first = make("a");
    ASSERT_TRUE(world.objects.remove(first, now()));
    make("a");
    ASSERT_TRUE(world.objects.remove(first, now())) << "already gone is success";
    EXPECT_EQ(world.workspaces(), "a") << "the one of that name is another";
}

TEST_F(ObjectsTest, DeletionDoesNotMindAnOldRevision) {
    const auto seen = make("a");
    auto object = seen;
    object.spec.model = "x";
    ASSERT_TRUE(world.objects.update(object, now()));
    ASSERT_TRUE(world.objects.remove(seen, now()));
    EXPECT_EQ(world.workspaces(), "");
}

TEST_F(ObjectsTest, EqualEventsAreCounted) {
    const auto object = make("a");
    for (int i = 0; i < 3; ++i) {
        world.objects.event(object, crds::EventType::warning, "Failed", "it broke", now());
        world.clock.now_ += std::chrono::seconds(1);
    }
    world.objects.event(object, crds::EventType::normal, "Fine", "it works", now());
    const auto snapshot = world.store.list("events");
    ASSERT_EQ(snapshot->objects.size(), 2u);
    bool counted = false;
    for (const auto& stored : snapshot->objects) {
        const auto event = json::parse(stored->body);
        ASSERT_TRUE(event);
        if (json::string_at(*event, {"reason"}) != "Failed") continue;
        counted = true;
        EXPECT_EQ(json::find(*event, {"count"})->GetInt64(), 3);
        EXPECT_EQ(json::string_at(*event, {"type"}), "Warning");
        EXPECT_EQ(json::string_at(*event, {"involvedObject", "kind"}), "Workspace");
        EXPECT_EQ(json::string_at(*event, {"involvedObject", "uid"}), object.meta.uid);
        EXPECT_NE(json::string_at(*event, {"firstTimestamp"}),
                  json::string_at(*event, {"lastTimestamp"}));
    }
    EXPECT_TRUE(counted);
}

TEST_F(ObjectsTest, ALongEventMessageIsCutAtACharacter) {
    const auto object = make("a");
    std::string message(1023, 'x');
    message += "äöü";
    world.objects.event(object, crds::EventType::normal, "Long", message, now());
    const auto snapshot = world.store.list("events");
    const auto event = json::parse((*snapshot->objects.begin())->body);
    ASSERT_TRUE(event);
    EXPECT_EQ(json::string_at(*event, {"message"}), std::string(1023, 'x'));
}

TEST_F(ObjectsTest, SecretsBelongToTheirOwner) {
    const auto owner = make("owner");
    const auto other = make("other");
    crds::Secret secret;
    secret.meta.name = "s";
    secret.meta.ns = "default";
    secret.meta.owners = {owner.as_owner()};
    secret.data = {{"A", "1"}};
    EXPECT_TRUE(*world.objects.put_secret(secret, now()));
    EXPECT_FALSE(*world.objects.put_secret(secret, now()));
    secret.data["A"] = "2";
    EXPECT_TRUE(*world.objects.put_secret(secret, now()));
    EXPECT_EQ((*world.objects.secret("default", "s"))->data.at("A"), "2");
    EXPECT_EQ(world.objects.secrets_of("default", owner.meta.uid)->size(), 1u);
    EXPECT_EQ(world.objects.secrets_of("default", other.meta.uid)->size(), 0u);

    secret.meta.owners = {other.as_owner()};
    EXPECT_EQ(world.objects.put_secret(secret, now()).error().code, Code::forbidden);
    ASSERT_TRUE(world.objects.remove_secret(**world.objects.secret("default", "s"), now()));
    EXPECT_FALSE(*world.objects.secret("default", "s"));
}

}  // namespace
}  // namespace atelier::reconcilers
