// Which trees go, and when: an old version of a plugin after its last holder, never one in use.
#include "reconcilers/tree_garbage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crds/org.h"
#include "crds/org_template.h"
#include "tests/reconcilers/plugin_world.h"
#include "tests/support/process.h"

namespace atelier::reconcilers {
namespace {

using std::chrono::minutes;
using testing::UnorderedElementsAre;

std::unique_ptr<drivers::TreeCollection> open_in(const support::TemporaryDirectory& folder) {
    auto opened = drivers::open_tree_collection(folder.path());
    CHECK(opened);
    return *std::move(opened);
}

// The world of plugins, with its trees in a folder.
class TreeGarbageTest : public testing::Test {
  protected:
    void settle() {
        for (int i = 0; i < 20; ++i) {
            const Revision before = world.store.revision();
            for (Reconciler* reconciler :
                 {static_cast<Reconciler*>(&plugins), static_cast<Reconciler*>(&updates)}) {
                const auto snapshot = world.store.list(reconciler->resource());
                for (const auto& object : snapshot->objects) {
                    ASSERT_TRUE(reconciler->reconcile(object->key, world.now));
                }
            }
            if (world.store.revision() == before) return;
        }
        FAIL() << "it does not come to rest";
    }
    // A sweep every ten minutes for that long, as the server makes them.
    void pass(Duration time) {
        const Instant end = world.now + time;
        while (world.now < end) {
            world.now += minutes(10);
            garbage.collect(world.now);
        }
    }
    std::set<std::string> kept() { return *trees->digests(); }

    PluginWorld world;
    support::TemporaryDirectory folder;
    std::unique_ptr<drivers::TreeCollection> trees = open_in(folder);
    PluginReconciler plugins{world.objects, world.git, *trees, {}};
    PluginUpdateReconciler updates{world.objects, *trees};
    TreeGarbage garbage{world.store, world.kinds, *trees, world.metrics, Log(), {}};
};

TEST_F(TreeGarbageTest, AVersionStaysAsLongAsSomebodyHasItOrMayGetIt) {
    world.push_skill("one");
    world.make_plugin();
    settle();
    world.make_member("a", "canary");
    const std::string first = world.plugin().status.approved->digest;
    world.push_skill("two");
    world.pass(minutes(11));
    settle();
    ASSERT_EQ(world.updates().size(), 1u);
    const crds::PluginUpdate update = world.updates()[0];
    const std::string second = update.spec.to.digest;
    pass(minutes(180));
    EXPECT_THAT(kept(), UnorderedElementsAre(first, second)) << "one is installed, one may be";

    world.decide(update.meta.name, crds::Decision::approve);
    settle();
    // The container still has the first version: delivery takes its time.
    ASSERT_EQ(world.undelivered(), "a");
    pass(minutes(180));
    EXPECT_THAT(kept(), UnorderedElementsAre(first, second));

    world.deliver("a");
    settle();
    ASSERT_EQ(world.read<crds::PluginUpdate>(update.meta.name).status.phase,
              crds::UpdatePhase::applied);
    pass(minutes(60));
    EXPECT_THAT(kept(), UnorderedElementsAre(first, second)) << "the hour is not over";
    pass(minutes(20));
    EXPECT_THAT(kept(), UnorderedElementsAre(second));
    EXPECT_NE(world.metrics.text().find("\natelier_trees 1\n"), std::string::npos);
    EXPECT_NE(world.metrics.text().find("\natelier_trees_collected_total 1\n"), std::string::npos);
}

TEST_F(TreeGarbageTest, AnyMentionCountsAndOtherHexadecimalsDoNot) {
    const auto tree = [&](const char* text) {
        return *trees->put({{"f", {drivers::File::Kind::regular, false, text}}});
    };
    const std::string of_template = tree("template");
    const std::string of_note = tree("note");
    const std::string free = tree("free");
    crds::OrgTemplateSpec spec;
    spec.source.inline_yaml = "name: x\n";
    crds::OrgTemplate made = world.make<crds::OrgTemplate>("t", spec);
    made.status.artifact_digest = of_template;
    ASSERT_TRUE(world.objects.report(made, made.status, world.now));
    world.change<crds::OrgTemplate>("t", [&](crds::OrgTemplate& object) {
        object.meta.annotations["note"] = "see sha256:" + of_note;
        object.meta.annotations["longer"] = free + "0";
        object.meta.annotations["shorter"] = free.substr(1);
    });
    const auto used = trees_in_use(world.store, world.kinds, *trees, kept());
    ASSERT_TRUE(used);
    EXPECT_THAT(*used, UnorderedElementsAre(of_template, of_note));
    pass(minutes(90));
    EXPECT_THAT(kept(), UnorderedElementsAre(of_template, of_note));
}

// The files of workspaces that nobody has made yet are named by the compiled template alone.
TEST_F(TreeGarbageTest, WhatACompiledTemplateNamesStaysWithIt) {
    const auto put = [&](const char* path, const std::string& text) {
        return *trees->put({{path, {drivers::File::Kind::regular, false, text}}});
    };
    const std::string files = put("system-prompt.md", "be kind");
    const std::string artifact = put("tree.json", R"({"files":")" + files + "\"}");
    const std::string old = put("tree.json", R"({"files":"none"})");
    const std::string former_files = put("system-prompt.md", "be stern");
    const std::string former = put("tree.json", R"({"files":")" + former_files + "\"}");
    crds::OrgTemplateSpec spec;
    spec.source.inline_yaml = "name: x\n";
    crds::OrgTemplate made = world.make<crds::OrgTemplate>("t", spec);
    made.status.artifact_digest = artifact;
    for (const std::string& digest : {artifact, former}) {
        crds::TemplateRevision revision;
        revision.artifact_digest = digest;
        made.status.history.push_back(revision);
    }
    ASSERT_TRUE(world.objects.report(made, made.status, world.now));
    pass(minutes(180));
    EXPECT_THAT(kept(), UnorderedElementsAre(artifact, files, former, former_files))
        << "an Org may go back to what the history names";
    EXPECT_NE(artifact, old);

    made = **world.objects.find<crds::OrgTemplate>("default", "t");
    made.status.history.pop_back();
    ASSERT_TRUE(world.objects.report(made, made.status, world.now));
    // An Org that runs it still names it.
    crds::OrgSpec org_spec;
    org_spec.template_ref.name = "t";
    crds::Org org = world.make<crds::Org>("o", org_spec);
    org.status.artifact_digest = former;
    ASSERT_TRUE(world.objects.report(org, org.status, world.now));
    pass(minutes(180));
    EXPECT_THAT(kept(), UnorderedElementsAre(artifact, files, former, former_files));
    org = **world.objects.find<crds::Org>("default", "o");
    org.status.artifact_digest = artifact;
    ASSERT_TRUE(world.objects.report(org, org.status, world.now));
    pass(minutes(180));
    EXPECT_THAT(kept(), UnorderedElementsAre(artifact, files));
}

TEST_F(TreeGarbageTest, WhatIsPutAgainHasItsHourAnew) {
    const drivers::Tree tree{{"f", {drivers::File::Kind::regular, false, "fetched"}}};
    const std::string digest = *trees->put(tree);
    pass(minutes(60));
    ASSERT_TRUE(trees->put(tree));
    pass(minutes(60));
    EXPECT_THAT(kept(), UnorderedElementsAre(digest));
    pass(minutes(20));
    EXPECT_THAT(kept(), UnorderedElementsAre());
}

}  // namespace
}  // namespace atelier::reconcilers
