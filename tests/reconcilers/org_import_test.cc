// Scenario 14: an import is told once when it begins, and once when it has ended.
#include <gmock/gmock.h>

#include "crds/org_conditions.h"
#include "reconcilers/org/import.h"
#include "tests/reconcilers/org_world.h"

namespace atelier::reconcilers {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class ImportWorld : public OrgWorld {
  public:
    // "ImportStarted: the import of …", in the order in which they were first recorded.
    std::vector<std::string> told() {
        std::map<std::int64_t, std::string> found;
        const auto snapshot = store.list("events");
        for (const auto& object : snapshot->objects) {
            const auto event = json::parse(object->body);
            const std::string reason = json::string_at(*event, {"reason"});
            if (!reason.starts_with("Import")) continue;
            std::string text = json::string_at(*event, {"message"});
            const std::size_t artifact = text.find(", artifact ");
            if (artifact != text.npos) text.erase(artifact, 23);
            const std::size_t revision = text.find(" at revision ");
            if (revision != text.npos) {
                text.erase(revision, text.find_first_of(" ", revision + 13) - revision);
            }
            found[object->revision] = reason + ": " + text;
        }
        std::vector<std::string> out;
        for (auto& [number, text] : found) out.push_back(std::move(text));
        return out;
    }
    void source(const std::string& workspaces) {
        push({{"org.yaml", "name: The Real Name\nworkspaces:\n" + workspaces}});
    }
};

constexpr const char* started = "ImportStarted: the import of \"The Real Name\" begins";
constexpr const char* applied = "ImportApplied: the import of \"The Real Name\" is applied";

TEST(OrgImport, Scenario14_BeginsWithTheRealNameAndEndsOnce) {
    ImportWorld world;
    world.source("  - {name: PM}\n");
    world.make_git_template();
    world.make_org();
    world.settle();
    EXPECT_THAT(world.told(), ElementsAre(started, applied));
    EXPECT_TRUE(world.read<crds::Org>("acme").status.is_true(crds::org::condition::imported));
    // Looking again, and workspaces that come and go, are no import.
    world.make_ready("acme-pm");
    world.settle();
    EXPECT_EQ(world.told().size(), 2u);
    world.source("  - {name: PM}\n  - {name: QA}\n");
    world.settle();
    EXPECT_THAT(world.told(), ElementsAre(started, applied, started, applied));
}

TEST(OrgImport, Scenario14_WhatDoesNotCompileNeverBegan) {
    ImportWorld world;
    world.push({{"org.yaml", "name: [\n"}});
    world.make_git_template();
    world.make_org();
    world.settle();
    EXPECT_THAT(world.told(), IsEmpty());
    EXPECT_EQ(world.read<crds::Org>("acme").status.find(crds::org::condition::imported), nullptr);
    world.source("  - {name: PM}\n");
    world.settle();
    EXPECT_THAT(world.told(), ElementsAre(started, applied));
    world.push({{"org.yaml", "name: Broken\nworkspaces:\n  - {name: A}\n  - {name: A}\n"}});
    world.settle();
    EXPECT_EQ(world.told().size(), 2u) << "the last good one stays, and nothing is imported";
}

TEST(OrgImport, Scenario14_AFailureEndsItAndGoingOnBeginsAnother) {
    ImportWorld world;
    crds::Meta meta;
    meta.name = "acme-pm";
    meta.ns = "default";
    ASSERT_TRUE(world.objects.create<crds::Workspace>(meta, {}, world.clock.now()));
    world.source("  - {name: PM}\n");
    world.make_git_template();
    world.make_org();
    world.settle();
    auto told = world.told();
    ASSERT_EQ(told.size(), 2u);
    EXPECT_EQ(told[0], started);
    EXPECT_THAT(told[1], HasSubstr("ImportFailed: the import of \"The Real Name\" failed: "));
    world.settle();
    EXPECT_EQ(world.told().size(), 2u) << "it is told once";
    ASSERT_TRUE(world.objects.remove(world.read<crds::Workspace>("acme-pm"), world.clock.now()));
    world.settle();
    told = world.told();
    ASSERT_EQ(told.size(), 4u);
    EXPECT_THAT(told[2], HasSubstr("begins again, after its failure at "));
    EXPECT_EQ(told[3], applied);
}

TEST(OrgImport, Scenario14_ANewerOneEndsTheOneThatIsUnderWay) {
    ImportWorld world;
    world.source("  - {name: PM}\n");
    world.make_git_template();
    world.make_org();
    world.settle();
    // A workspace that waits for its deletion keeps the second import under way.
    world.change<crds::Workspace>(
        "acme-pm", [](crds::Workspace& one) { one.meta.finalizers = {"atelier.dev/workspace"}; });
    ASSERT_TRUE(world.objects.remove(world.read<crds::Workspace>("acme-pm"), world.clock.now()));
    world.source("  - {name: PM}\n  - {name: QA}\n");
    world.settle();
    EXPECT_THAT(world.told(), ElementsAre(started, applied, started));
    world.source("  - {name: PM}\n  - {name: QA}\n  - {name: BE}\n");
    world.settle();
    const auto told = world.told();
    ASSERT_EQ(told.size(), 5u);
    EXPECT_EQ(told[3],
              "ImportFailed: the import of \"The Real Name\" ended early: the template has "
              "something newer");
    EXPECT_EQ(told[4], started);
    // The Org that goes ends it, too.
    ASSERT_TRUE(world.objects.remove(world.read<crds::Org>("acme"), world.clock.now()));
    (void)world.turn();
    (void)world.turn();
    ASSERT_EQ(world.told().size(), 6u);
    EXPECT_EQ(
        world.told()[5],
        "ImportFailed: the import of \"The Real Name\" ended early: the Org is being deleted");
}

TEST(OrgImport, Scenario14_EventsThatCannotBeRecordedHoldNothingUp) {
    ImportWorld world;
    world.store.fail_resource("events");
    world.source("  - {name: PM}\n");
    world.make_git_template();
    world.make_org();
    ASSERT_TRUE(world.turn());
    world.settle();
    EXPECT_EQ(world.workspaces(), "acme-pm");
    EXPECT_TRUE(world.read<crds::Org>("acme").status.is_true(crds::org::condition::imported));
    EXPECT_THAT(world.told(), IsEmpty());
}

// Whichever write fails, or is the last before a crash: one beginning, one end.
TEST(OrgImport, Scenario14_OnceEachThroughAnyFailedWrite) {
    for (int nth = 1; nth <= 14; ++nth) {
        for (const bool after : {false, true}) {
            SCOPED_TRACE(nth);
            ImportWorld world;
            world.source("  - {name: PM, children: [{name: QA}]}\n");
            world.make_git_template();
            world.make_org();
            world.store.fail_write(nth, after);
            world.settle();
            const auto told = world.told();
            EXPECT_LE(std::count(told.begin(), told.end(), started), 1);
            EXPECT_LE(std::count(told.begin(), told.end(), applied), 1);
            EXPECT_EQ(std::count_if(
                          told.begin(), told.end(),
                          [](const std::string& text) { return text.starts_with("ImportFailed"); }),
                      0);
            EXPECT_TRUE(
                world.read<crds::Org>("acme").status.is_true(crds::org::condition::imported));
        }
    }
}

}  // namespace
}  // namespace atelier::reconcilers
