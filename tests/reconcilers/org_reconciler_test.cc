#include <gtest/gtest.h>

#include "reconcilers/org/status.h"
#include "templates/layers.h"
#include "tests/reconcilers/org_world.h"

namespace atelier::reconcilers {
namespace {

std::string yaml_of(const std::vector<std::string>& names) {
    std::string text = "name: Dev\nworkspaces:\n";
    for (const std::string& name : names) text += "  - {name: " + name + "}\n";
    if (names.empty()) text = "name: Dev\n";
    return text;
}

const std::map<std::string, std::string> acme = {{"org.yaml",
                                                  "name: Dev\n"
                                                  "defaults: {plugins: [guard], model: sonnet}\n"
                                                  "workspaces:\n"
                                                  "  - name: PM\n"
                                                  "    files_dir: pm\n"
                                                  "    children:\n"
                                                  "      - !include be/workspace.yaml\n"
                                                  "      - {name: QA}\n"},
                                                 {".env", "SHARED=1\n"},
                                                 {"pm/system-prompt.md", "You are PM.\r\n"},
                                                 {"pm/.env", "OWN=2\n"},
                                                 {"be/workspace.yaml", "name: BE\nfiles_dir: be\n"},
                                                 {"be/notes.md", "notes\n"}};

TEST(OrgReconciler, AppliesATemplateAndThenRests) {
    OrgWorld world;
    world.push(acme);
    world.make_git_template();
    world.make_org();
    world.settle();
    EXPECT_EQ(world.workspaces(), "acme-be<acme-pm acme-pm acme-qa<acme-pm");
    const auto pm = world.read<crds::Workspace>("acme-pm");
    EXPECT_EQ(pm.meta.controller()->uid, world.read<crds::Org>("acme").meta.uid);
    EXPECT_EQ(pm.meta.label(crds::label::org), "acme");
    EXPECT_EQ(pm.spec.plugins, std::vector<std::string>{"guard"});
    ASSERT_EQ(pm.spec.files.size(), 2u);
    EXPECT_EQ(pm.spec.files[1].path, "system-prompt.md");
    EXPECT_EQ(*world.trees.read(pm.spec.files[1].artifact->digest, "system-prompt.md"),
              "You are PM.\r\n")
        << "as it is, line ends and all";
    EXPECT_EQ((*world.objects.secret("default", "acme-pm-env"))->data,
              (templates::EnvMap{{"OWN", "2"}, {"SHARED", "1"}}));
    EXPECT_EQ((*world.objects.secret("default", "acme-qa-env"))->data,
              (templates::EnvMap{{"SHARED", "1"}}));
    ASSERT_EQ(pm.spec.env_from.size(), 1u);
    EXPECT_EQ(pm.spec.env_from[0].secret_ref->name, "acme-pm-env");

    auto org = world.read<crds::Org>("acme");
    EXPECT_EQ(org.status.find("Ready")->message, "0/3 ready");
    EXPECT_NE(
        world.metrics.text().find("atelier_org_actions_total{action=\"create\",result=\"done\"} 3"),
        std::string::npos);
    for (const char* name : {"acme-pm", "acme-be", "acme-qa"}) world.make_ready(name);
    world.settle();
    org = world.read<crds::Org>("acme");
    EXPECT_TRUE(org.status.is_true("Ready"));
    EXPECT_EQ(org.status.counts.ready, 3);
    EXPECT_EQ(org.status.revision, world.read<crds::OrgTemplate>("dev").status.revision);
}

TEST(OrgReconciler, AnEditTouchesOnlyWhatItConcerns) {
    OrgWorld world;
    world.push(acme);
    world.make_git_template();
    world.make_org();
    world.settle();
    const auto generations = [&] {
        std::string text;
        for (const char* name : {"acme-pm", "acme-be", "acme-qa"}) {
            text += std::to_string(world.read<crds::Workspace>(name).meta.generation);
        }
        return text;
    };
    EXPECT_EQ(generations(), "111");
    auto files = acme;
    files["be/notes.md"] = "other notes\n";
    world.push(files);
    world.settle();
    EXPECT_EQ(generations(), "121") << "a file";
    files["be/workspace.yaml"] = "name: BE\nfiles_dir: be\nmodel: opus\n";
    world.push(files);
    world.settle();
    EXPECT_EQ(generations(), "131") << "a model";
    files["pm/.env"] = "OWN=3\n";
    world.push(files);
    world.settle();
    EXPECT_EQ(generations(), "131") << "a value is in the Secret alone";
    EXPECT_EQ((*world.objects.secret("default", "acme-pm-env"))->data.at("OWN"), "3");
    files["README.md"] = "more\n";
    world.push(files);
    EXPECT_LE(world.settle(), 2);
    EXPECT_EQ(generations(), "131") << "nothing that is delivered";
}

// A Secret is only taken for what it says it is.
TEST(OrgReconciler, EnvironmentOfAnotherArtifactIsNotUsed) {
    OrgWorld world;
    std::map<std::string, std::string> files = {
        {"org.yaml", "name: D\nworkspaces: [{name: PM, files_dir: pm}]\n"},
        {"pm/prompt.md", "x\n"},
        {"pm/.env", "OWN=2\n"}};
    world.push(files);
    world.make_git_template();
    world.make_org();
    world.settle();
    const auto of_template = world.read<crds::OrgTemplate>("dev");
    const templates::EnvLayers other = {.org = {{"SHARED", "1"}}, .nodes = {}};
    crds::TemplateRevision another = of_template.status.history.at(0);
    another.artifact_digest = std::string(64, 'f');
    auto newer = templates::secret_of_layers(of_template, other, another);
    ASSERT_TRUE(newer);
    newer->meta.name = templates::layers_secret_name("dev", of_template.status.history.at(0));
    ASSERT_TRUE(world.objects.put_secret(*newer, world.clock.now()));
    const auto done = world.reconcile_org();
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, Code::unavailable);
    EXPECT_EQ((*world.objects.secret("default", "acme-pm-env"))->data,
              (templates::EnvMap{{"OWN", "2"}}))
        << "pm is not there in those layers, and keeps what it has";
    world.settle();
    EXPECT_EQ((*world.objects.secret("default", "acme-pm-env"))->data,
              (templates::EnvMap{{"OWN", "2"}}));
    EXPECT_TRUE(world.reconcile_org());
}

TEST(OrgReconciler, ARenamedNodeWithAKeyKeepsItsWorkspace) {
    OrgWorld world;
    world.push({{"org.yaml", "name: Dev\nworkspaces: [{name: Old Name, key: x}]\n"}});
    world.make_git_template();
    world.make_org();
    world.settle();
    const auto uid = world.read<crds::Workspace>("acme-x").meta.uid;
    world.push({{"org.yaml", "name: Dev\nworkspaces: [{name: New Name, key: x}]\n"}});
    world.settle();
    const auto after = world.read<crds::Workspace>("acme-x");
    EXPECT_EQ(after.meta.uid, uid);
    EXPECT_EQ(after.spec.display_name, "New Name");
}

TEST(OrgReconciler, Scenario08_OneListMayBeIncludedInTwoBranches) {
    OrgWorld world;
    world.push({{"org.yaml",
                 "name: Dev\nworkspaces:\n  - {name: A, plugins: !include p.yaml}\n  - {name: B, "
                 "plugins: !include p.yaml}\n"},
                {"p.yaml", "[one, two]\n"}});
    world.make_git_template();
    world.make_org();
    world.settle();
    EXPECT_EQ(world.read<crds::Workspace>("acme-b").spec.plugins.size(), 2u);
}

TEST(OrgReconciler, Scenario09_WhatDoesNotSpawnLeavesNoTrace) {
    OrgWorld world;
    world.push(
        {{"org.yaml",
          "name: Dev\nworkspaces:\n  - name: A\n    children:\n      - {name: Off, files_dir: "
          "off, spawning: false, children: [{name: Below}]}\n      - {name: On, spawning: "
          "true}\n"},
         {"off/.env", "SECRET=1\n"}});
    world.make_git_template();
    world.make_org();
    world.settle();
    EXPECT_EQ(world.workspaces(), "acme-a acme-on<acme-a");
    EXPECT_TRUE(world.store.list("secrets")->objects.empty());
    EXPECT_EQ(world.read<crds::OrgTemplate>("dev").status.counts.declared, 4);
}

TEST(OrgReconciler, Scenario15_ReparentedInPlaceAndTheSecondPassRests) {
    OrgWorld world;
    world.push(acme);
    world.make_git_template();
    world.make_org();
    world.settle();
    const auto before = world.read<crds::Workspace>("acme-qa");
    auto files = acme;
    files["org.yaml"] =
        "name: Dev\n"
        "defaults: {plugins: [guard], model: sonnet}\n"
        "workspaces:\n"
        "  - name: PM\n"
        "    files_dir: pm\n"
        "    children:\n"
        "      - !include be/workspace.yaml\n";
    files["be/workspace.yaml"] = "name: BE\nfiles_dir: be\nchildren: [{name: QA}]\n";
    world.push(files);
    world.settle();
    const auto after = world.read<crds::Workspace>("acme-qa");
    EXPECT_EQ(after.meta.uid, before.meta.uid);
    EXPECT_EQ(after.spec.parent, "acme-be");
    EXPECT_EQ(world.workspaces(), "acme-be<acme-pm acme-pm acme-qa<acme-be");
    EXPECT_EQ(world.settle(), 0);
}

TEST(OrgReconciler, Scenario16_ATemplateThatShrinksToNothingDeletesNothing) {
    OrgWorld world;
    world.push({{"org.yaml", yaml_of({"A", "B", "C"})}});
    world.make_git_template();
    world.make_org();
    world.settle();
    for (const char* text : {"name: Dev\n", "name: Dev\nworkspaces: [\n", ""}) {
        SCOPED_TRACE(text);
        world.push({{"org.yaml", text}});
        world.settle();
        EXPECT_EQ(world.workspaces(), "acme-a acme-b acme-c");
    }
    world.push({{"org.yaml", "name: Dev\n"}});
    world.settle();
    EXPECT_EQ(world.read<crds::Org>("acme").status.find("PruneBlocked")->reason, "EmptyDesiredSet");
    world.git.set_away(true);
    world.turn();
    EXPECT_EQ(world.workspaces(), "acme-a acme-b acme-c");
}

TEST(OrgReconciler, Scenario16_TheOriginModesNeverDelete) {
    OrgWorld world;
    world.push({{"org.yaml", yaml_of({"A", "B"})}});
    world.make_git_template();
    world.make_org();
    world.change<crds::Org>("acme",
                            [](auto& org) { org.spec.prune.policy = crds::PrunePolicy::retain; });
    world.settle();
    world.push({{"org.yaml", yaml_of({"A"})}});
    world.settle();
    EXPECT_EQ(world.workspaces(), "acme-a acme-b");
}

std::string yaml_with(const std::string& prefix, int count) {
    std::string yaml = "name: Dev\nworkspaces:\n";
    for (int i = 0; i < count; ++i) yaml += "  - {name: " + prefix + std::to_string(i) + "}\n";
    return yaml;
}

// What it brings does not make room for what it drops, not even once that is there.
TEST(OrgReconciler, ATemplateReplacedByALargerOneDeletesNothingUnasked) {
    OrgWorld world;
    world.push({{"org.yaml", yaml_with("old", 6)}});
    world.make_git_template();
    world.make_org();
    world.settle();
    world.push({{"org.yaml", yaml_with("new", 40)}});
    world.settle();
    const auto blocked = world.read<crds::Org>("acme").status;
    EXPECT_EQ(blocked.counts.owned, 46);
    EXPECT_EQ(blocked.pending_prune.size(), 6u);
    const auto* condition = blocked.find("PruneBlocked");
    ASSERT_TRUE(condition);
    EXPECT_EQ(condition->message.substr(0, condition->message.find(':')),
              "6 of 6 workspaces (40 new ones do not count) would be deleted, more than 30%");
    // They count for the next one.
    world.push({{"org.yaml", yaml_with("new", 30)}});
    world.settle();
    EXPECT_EQ(world.read<crds::Org>("acme").status.counts.owned, 46);
    world.change<crds::Org>("acme", [&](auto& org) {
        org.meta.annotations["atelier.dev/confirm-prune"] =
            world.read<crds::Org>("acme").status.pending_prune_digest;
    });
    world.settle();
    EXPECT_EQ(world.read<crds::Org>("acme").status.counts.owned, 30);
    world.push({{"org.yaml", yaml_with("new", 25)}});
    world.settle();
    EXPECT_EQ(world.read<crds::Org>("acme").status.counts.owned, 25) << "a sixth";
}

// Whichever write fails, or is the last before a crash: what was confirmed is done to its end, and
// what was not confirmed is not done.
TEST(OrgReconciler, AConfirmedPruningThatIsCutOffGoesOn) {
    for (const bool after : {false, true}) {
        for (int nth = 1; nth <= 12; ++nth) {
            SCOPED_TRACE(std::to_string(nth) + (after ? " after" : " before"));
            OrgWorld world;
            world.push({{"org.yaml", yaml_with("w", 10)}});
            world.make_git_template();
            world.make_org();
            world.settle();
            world.push({{"org.yaml", yaml_with("w", 4)}});
            world.settle();
            const std::string digest = world.read<crds::Org>("acme").status.pending_prune_digest;
            ASSERT_FALSE(digest.empty());
            world.change<crds::Org>("acme", [&](auto& org) {
                org.meta.annotations["atelier.dev/confirm-prune"] = digest;
            });
            world.store.fail_write(nth, after);
            world.settle();
            const auto done = world.read<crds::Org>("acme").status;
            EXPECT_EQ(done.counts.owned, 4);
            EXPECT_TRUE(done.pending_prune.empty());
            EXPECT_EQ(done.pending_prune_digest, "");
            // The confirmation is used up.
            world.push({{"org.yaml", yaml_with("w", 2)}});
            world.settle();
            EXPECT_EQ(world.read<crds::Org>("acme").status.counts.owned, 4);
            EXPECT_EQ(world.read<crds::Org>("acme").status.pending_prune.size(), 2u);
        }
    }
}

TEST(OrgReconciler, Scenario17_OrgsWithTheSameRolesDoNotTouchEachOther) {
    OrgWorld world;
    world.push({{"org.yaml", yaml_of({"Lead", "BE"})}});
    world.make_git_template();
    world.make_org("acme");
    world.make_org("zeta");
    world.settle();
    EXPECT_EQ(world.workspaces(), "acme-be acme-lead zeta-be zeta-lead");
    world.change<crds::Org>("zeta",
                            [](auto& org) { org.spec.prune.policy = crds::PrunePolicy::retain; });
    world.push({{"org.yaml", yaml_of({"Lead"})}});
    world.settle();
    EXPECT_EQ(world.workspaces(), "acme-lead zeta-be zeta-lead");
    const auto zeta = world.read<crds::Org>("zeta");
    ASSERT_TRUE(world.objects.remove(zeta, world.clock.now()));
    world.settle();
    EXPECT_EQ(world.workspaces(), "acme-lead");
}

TEST(OrgReconciler, ANameThatIsTakenIsLeftAloneAndTold) {
    OrgWorld world;
    crds::Meta meta;
    meta.name = "acme-pm";
    meta.ns = "default";
    const auto theirs = world.objects.create<crds::Workspace>(meta, {}, world.clock.now());
    ASSERT_TRUE(theirs);
    world.push(acme);
    world.make_git_template();
    world.make_org();
    world.settle();
    EXPECT_EQ(world.workspaces(), "acme-pm");
    EXPECT_EQ(world.read<crds::Workspace>("acme-pm").meta.revision, theirs->meta.revision);
    const auto org = world.read<crds::Org>("acme");
    EXPECT_TRUE(org.status.is_true("NameConflict"));
    EXPECT_EQ(org.status.find("Stalled")->reason, "NameConflict");

    ASSERT_TRUE(world.objects.remove(*theirs, world.clock.now()));
    world.settle();
    EXPECT_EQ(world.workspaces(), "acme-be<acme-pm acme-pm acme-qa<acme-pm");
    EXPECT_EQ(world.read<crds::Org>("acme").status.find("NameConflict"), nullptr);
}

TEST(OrgReconciler, ASecretThatIsTakenStopsThatWorkspaceAlone) {
    OrgWorld world;
    const auto other = world.make_org("other");
    crds::Secret theirs;
    theirs.meta.name = "acme-pm-env";
    theirs.meta.ns = "default";
    theirs.meta.owners = {other.as_owner()};
    theirs.data = {{"OWN", "theirs"}};
    ASSERT_TRUE(world.objects.put_secret(theirs, world.clock.now()));
    world.change<crds::Org>("other", [](auto& org) { org.spec.suspend = true; });
    world.push({{"org.yaml", "name: Dev\nworkspaces: [{name: PM, files_dir: pm}, {name: QA}]\n"},
                {"pm/.env", "OWN=2\n"}});
    world.make_git_template();
    world.make_org();
    for (int i = 0; i < 4; ++i) world.turn();
    EXPECT_EQ(world.workspaces(), "acme-qa") << "it would read somebody else's environment";
    EXPECT_EQ((*world.objects.secret("default", "acme-pm-env"))->data.at("OWN"), "theirs");
    EXPECT_TRUE(world.read<crds::Org>("acme").status.is_true("Stalled"));
}

TEST(OrgReconciler, AMassDeletionWaitsForItsConfirmation) {
    OrgWorld world;
    world.push({{"org.yaml", yaml_of({"A", "B", "C", "D", "E"})}});
    world.make_git_template();
    world.make_org();
    world.settle();
    world.push({{"org.yaml", yaml_of({"A", "B"})}});
    world.settle();
    EXPECT_EQ(world.workspaces(), "acme-a acme-b acme-c acme-d acme-e");
    const auto blocked = world.read<crds::Org>("acme").status;
    EXPECT_TRUE(blocked.is_true("PruneBlocked"));
    EXPECT_EQ(blocked.pending_prune.size(), 3u);
    EXPECT_TRUE(blocked.is_true("InventoryReady")) << "what should be is";
    world.change<crds::Org>("acme", [&](auto& org) {
        org.meta.annotations["atelier.dev/confirm-prune"] = blocked.pending_prune_digest;
    });
    world.settle();
    EXPECT_EQ(world.workspaces(), "acme-a acme-b");
    const auto after = world.read<crds::Org>("acme").status;
    EXPECT_EQ(after.find("PruneBlocked"), nullptr);
    EXPECT_TRUE(after.pending_prune.empty());
    EXPECT_EQ(after.pending_prune_digest, "");
}

TEST(OrgReconciler, Scenario37_DeletionMarksAllBeforeWaiting) {
    OrgWorld world;
    world.push(acme);
    world.make_git_template();
    world.make_org();
    world.settle();
    for (const char* name : {"acme-pm", "acme-be", "acme-qa"}) {
        world.change<crds::Workspace>(
            name, [](auto& w) { w.meta.finalizers.emplace_back("atelier.dev/workspace"); });
    }
    ASSERT_TRUE(world.objects.remove(world.read<crds::Org>("acme"), world.clock.now()));
    world.settle();
    EXPECT_EQ(world.workspaces(), "acme-be<acme-pm! acme-pm! acme-qa<acme-pm!");
    EXPECT_EQ(world.read<crds::Org>("acme").status.find("Ready")->reason, "Deleting");
    for (const char* name : {"acme-qa", "acme-be", "acme-pm"}) {
        EXPECT_TRUE(world.objects.secret("default", "acme-pm-env")->has_value());
        ASSERT_TRUE(world.objects.release(world.read<crds::Workspace>(name),
                                          "atelier.dev/workspace", world.clock.now()));
        world.settle();
    }
    EXPECT_EQ(world.workspaces(), "");
    EXPECT_TRUE(world.store.list("orgs.atelier.dev")->objects.empty());
    EXPECT_FALSE(*world.objects.secret("default", "acme-pm-env"));
}

TEST(OrgReconciler, AWorkspaceThatIsWantedAgainIsMadeAnewWhenTheOldOneIsGone) {
    OrgWorld world;
    world.push({{"org.yaml", yaml_of({"A", "B"})}});
    world.make_git_template();
    world.make_org();
    world.settle();
    const auto uid = world.read<crds::Workspace>("acme-b").meta.uid;
    world.change<crds::Workspace>(
        "acme-b", [](auto& w) { w.meta.finalizers.emplace_back("atelier.dev/workspace"); });
    ASSERT_TRUE(world.objects.remove(world.read<crds::Workspace>("acme-b"), world.clock.now()));
    world.settle();
    EXPECT_EQ(world.workspaces(), "acme-a acme-b!");
    EXPECT_FALSE(world.read<crds::Org>("acme").status.is_true("Ready"));
    ASSERT_TRUE(world.objects.release(world.read<crds::Workspace>("acme-b"),
                                      "atelier.dev/workspace", world.clock.now()));
    world.settle();
    EXPECT_EQ(world.workspaces(), "acme-a acme-b");
    EXPECT_NE(world.read<crds::Workspace>("acme-b").meta.uid, uid);
}

// Counts what is read of the trees below it.
class CountedTrees final : public drivers::TreeStore {
  public:
    explicit CountedTrees(drivers::TreeStore& inner) : inner_(inner) {}
    Result<std::string> put(const drivers::Tree& tree) override { return inner_.put(tree); }
    Result<drivers::TreePtr> get(const std::string& digest) override { return inner_.get(digest); }
    Result<drivers::Manifest> manifest(const std::string& digest) override {
        return inner_.manifest(digest);
    }
    Result<std::string> read(const std::string& digest, const std::string& path) override {
        ++reads;
        return inner_.read(digest, path);
    }
    int reads = 0;

  private:
    drivers::TreeStore& inner_;
};

TEST(OrgReconciler, ReadsACompiledTemplateOnceForEachDigest) {
    OrgWorld world;
    CountedTrees trees(world.trees);
    org::CompiledCache cache;
    std::vector<std::string> digests;
    for (int i = 0; i < 10; ++i) {
        templates::CompiledOrg compiled;
        compiled.name = std::to_string(i);
        const std::string text = json::canonical(json::document_of(compiled));
        digests.push_back(*trees.put(
            {{std::string(templates::tree_file), {drivers::File::Kind::regular, false, text}}}));
    }
    for (int i = 0; i < 3; ++i) EXPECT_EQ((*cache.get(digests[0], trees))->name, "0");
    EXPECT_EQ(trees.reads, 1);
    for (int i = 1; i < 8; ++i) EXPECT_EQ((*cache.get(digests[i], trees))->name, std::to_string(i));
    EXPECT_EQ((*cache.get(digests[0], trees))->name, "0");
    EXPECT_EQ(trees.reads, 8);
    // The one that was used longest ago makes room.
    ASSERT_TRUE(cache.get(digests[8], trees));
    ASSERT_TRUE(cache.get(digests[0], trees));
    EXPECT_EQ(trees.reads, 9);
    ASSERT_TRUE(cache.get(digests[1], trees));
    EXPECT_EQ(trees.reads, 10);
    const auto absent = cache.get(std::string(64, 'a'), trees);
    ASSERT_TRUE(absent);
    EXPECT_EQ(*absent, nullptr) << "and it is asked for again, for it may come";
    ASSERT_TRUE(cache.get(std::string(64, 'a'), trees));
    EXPECT_EQ(trees.reads, 12);
}

TEST(OrgReconciler, WithoutATemplateNothingHappens) {
    OrgWorld world;
    world.make_org();
    world.settle();
    EXPECT_EQ(world.read<crds::Org>("acme").status.find("Ready")->reason, "TemplateNotFound");
    world.push({{"org.yaml", yaml_of({"A"})}});
    const auto source = world.make_git_template();
    world.settle();
    EXPECT_EQ(world.workspaces(), "acme-a");
    ASSERT_TRUE(world.objects.remove(world.read<crds::OrgTemplate>("dev"), world.clock.now()));
    world.settle();
    EXPECT_EQ(world.workspaces(), "acme-a");
    EXPECT_EQ(world.read<crds::Org>("acme").status.find("Stalled")->reason, "TemplateNotFound");
}

TEST(OrgReconciler, ATemplateThatIsTriedAgainStallsNothing) {
    OrgWorld world;
    world.git.set_away(true);
    const auto source = world.make_git_template();
    world.make_org();
    EXPECT_FALSE(world.reconcile_template());
    ASSERT_TRUE(world.reconcile_org());
    const auto waiting = world.read<crds::Org>("acme").status;
    EXPECT_EQ(waiting.find("Ready")->reason, "TemplateNotReady");
    EXPECT_TRUE(waiting.is_true("Reconciling"));
    EXPECT_EQ(waiting.find("Stalled"), nullptr);

    world.git.set_away(false);
    world.push({{"org.yaml", "name: Dev\nworkspaces:\n  - !include a.yaml\n"}});
    ASSERT_TRUE(world.reconcile_template());
    ASSERT_TRUE(world.reconcile_org());
    const auto broken = world.read<crds::Org>("acme").status;
    EXPECT_EQ(broken.find("Ready")->reason, "TemplateNotReady");
    EXPECT_TRUE(broken.is_true("Stalled"));
    EXPECT_EQ(broken.find("Reconciling"), nullptr);
}

TEST(OrgReconciler, ReportsMissingEnvironmentAndDoesNotBlock) {
    OrgWorld world;
    world.push(
        {{"org.yaml",
          "name: Dev\nrequired_env: [{any_of: [A_KEY, B_KEY]}]\nworkspaces: [{name: A}]\n"}});
    world.make_git_template();
    world.make_org();
    world.settle();
    EXPECT_EQ(world.workspaces(), "acme-a");
    const auto* condition = world.read<crds::Org>("acme").status.find("EnvSatisfied");
    ASSERT_TRUE(condition);
    auto org = world.read<crds::Org>("acme");
    EXPECT_EQ(org.status.find("EnvSatisfied")->reason, "RequiredMissing");
    crds::Secret secret;
    secret.meta.name = "keys";
    secret.meta.ns = "default";
    secret.meta.owners = {org.as_owner()};
    secret.meta.owners[0].uid = "somebody-else";
    secret.data = {{"B_KEY", "v"}, {"A_KEY", ""}};
    ASSERT_TRUE(world.objects.put_secret(secret, world.clock.now()));
    world.change<crds::Org>("acme", [](auto& o) {
        o.spec.env_from = {{.secret_ref = crds::LocalRef{"keys"}, .config_map_ref = {}}};
    });
    world.settle();
    EXPECT_TRUE(world.read<crds::Org>("acme").status.is_true("EnvSatisfied"));
    EXPECT_EQ(world.read<crds::Workspace>("acme-a").spec.env_from.size(), 1u);
}

void put_secret(OrgWorld& world, const std::string& name,
                const std::map<std::string, std::string>& data) {
    crds::Secret secret;
    secret.meta.name = name;
    secret.meta.ns = "default";
    secret.meta.owners = {world.read<crds::OrgTemplate>("dev").as_owner()};
    secret.meta.owners[0].uid = "somebody-else";
    secret.data = data;
    CHECK(world.objects.put_secret(secret, world.clock.now()));
}

// Scenarios 10 and 12: the key is that of the template, also where the files come from elsewhere; a
// persona that is missing is told, and found when it comes.
TEST(OrgReconciler, Scenario10And12_PersonasAreFoundAlsoForAnExternalSubtree) {
    OrgWorld world;
    drivers::Tree research;
    research["w.yaml"].bytes = "{name: Analyst, role: Counts things, files_dir: team/analyst}\n";
    research["team/analyst/notes.md"].bytes = "count\n";
    world.git.commit("https://git.moleculesai.app/molecule-ai/research.git", research);
    world.push({{"org.yaml",
                 "name: Dev\nrequired_env: [GITEA_TOKEN]\nworkspaces:\n"
                 "  - name: Core Lead\n    role: Leads the core team, reviews and plans\n"
                 "    files_dir: core-lead\n    required_env: [GITEA_TOKEN]\n    children:\n"
                 "      - !external {repo: molecule-ai/research, ref: main, path: w.yaml}\n"},
                {"core-lead/notes.md", "hi\n"}});
    world.make_git_template();
    world.make_org();
    world.change<crds::Org>("acme", [](auto& org) { org.spec.personas.emplace(); });
    world.settle();
    auto org = world.read<crds::Org>("acme");
    ASSERT_TRUE(org.status.is_true("PersonaMissing"));
    EXPECT_EQ(org.status.find("PersonaMissing")->message,
              "acme-core-lead: there is no Secret persona-core-lead; acme-analyst: there is no "
              "Secret persona-analyst");
    EXPECT_EQ(org.status.find("EnvSatisfied")->reason, "RequiredMissing");
    EXPECT_TRUE(world.read<crds::Workspace>("acme-analyst").spec.env_from.empty());

    put_secret(world, "persona-analyst", {{"GITEA_USER", "analyst"}});
    put_secret(world, "persona-core-lead", {{"GITEA_TOKEN", "hunter2-persona"}});
    world.settle();
    org = world.read<crds::Org>("acme");
    EXPECT_EQ(org.status.find("PersonaMissing"), nullptr);
    EXPECT_TRUE(org.status.is_true("EnvSatisfied"));
    for (const char* role : {"core-lead", "analyst"}) {
        const auto workspace = world.read<crds::Workspace>(std::string("acme-") + role);
        ASSERT_EQ(workspace.spec.env_from.size(), 1u) << role;
        EXPECT_EQ(workspace.spec.env_from[0].secret_ref->name, std::string("persona-") + role);
    }
    // The value is in its Secret and nowhere else.
    for (const char* resource :
         {"orgtemplates.atelier.dev", "orgs.atelier.dev", "workspaces.atelier.dev", "events"}) {
        const auto snapshot = world.store.list(resource);
        for (const auto& object : snapshot->objects) {
            EXPECT_EQ(object->body.find("hunter2"), std::string::npos) << object->key.text();
        }
    }
}

TEST(OrgReconciler, InterestsLeadToTheOrgsConcerned) {
    OrgWorld world;
    world.push(acme);
    world.make_git_template();
    world.make_org();
    world.settle();
    const auto keys = [&](const Key& of) {
        std::string text;
        for (const Interest& interest : world.orgs.interests()) {
            if (interest.resource != of.resource) continue;
            const store::Event event{store::Change::modified, 1, world.store.get(of),
                                     world.store.get(of)};
            for (const Key& key : interest.keys(event, world.store)) text += key.name + " ";
        }
        return text;
    };
    EXPECT_EQ(keys({"workspaces.atelier.dev", "default", "acme-be"}), "acme ");
    EXPECT_EQ(keys({"orgtemplates.atelier.dev", "default", "dev"}), "acme ");
    EXPECT_EQ(keys({"secrets", "default",
                    templates::layers_secret_name(
                        "dev", world.read<crds::OrgTemplate>("dev").status.history.at(0))}),
              "acme ");
    EXPECT_EQ(keys({"secrets", "default", "acme-pm-env"}), "acme ");
    put_secret(world, "persona-pm", {{"A", "1"}});
    put_secret(world, "role-pm", {{"A", "1"}});
    EXPECT_EQ(keys({"secrets", "default", "persona-pm"}), "acme ");
    EXPECT_EQ(keys({"secrets", "default", "role-pm"}), "");
    world.change<crds::Org>(
        "acme", [](auto& org) { org.spec.personas = crds::Personas{.secret_prefix = "role-"}; });
    EXPECT_EQ(keys({"secrets", "default", "persona-pm"}), "");
    EXPECT_EQ(keys({"secrets", "default", "role-pm"}), "acme ");
}

TEST(OrgReconciler, AFinalizerOfAWorkspaceDoesNotWakeItsOrg) {
    OrgWorld world;
    world.push(acme);
    world.make_git_template();
    world.make_org();
    world.settle();
    const Key key{"workspaces.atelier.dev", "default", "acme-be"};
    const auto woken = [&](const std::function<void(crds::Workspace&)>& edit) {
        auto workspace = world.read<crds::Workspace>("acme-be");
        const auto before = world.store.get(key);
        edit(workspace);
        CHECK(world.objects.update(workspace, world.clock.now()));
        const store::Event event{store::Change::modified, 1, world.store.get(key), before};
        CHECK(event.object->revision != before->revision);
        return world.orgs.interests().front().keys(event, world.store).size();
    };
    EXPECT_EQ(woken([](auto& w) { w.meta.finalizers.emplace_back("atelier.dev/one"); }), 0u);
    EXPECT_EQ(woken([](auto& w) { w.meta.labels["a"] = "b"; }), 1u);
    EXPECT_EQ(woken([](auto& w) {
                  w.meta.finalizers.emplace_back("atelier.dev/two");
                  w.spec.role = "Another.";
              }),
              1u);
    EXPECT_EQ(woken([](auto& w) {
                  w.meta.finalizers.emplace_back("atelier.dev/three");
                  w.meta.owners.clear();
              }),
              1u);
}

// What a person would see go through: apply, edit, move, remove, delete.
struct Step {
    const char* name;
    std::function<void(OrgWorld&)> act;
};

std::vector<Step> story() {
    return {{"apply",
             [](OrgWorld& world) {
                 world.push(acme);
                 world.make_git_template();
                 world.make_org();
             }},
            {"edit",
             [](OrgWorld& world) {
                 auto files = acme;
                 files["pm/system-prompt.md"] = "Changed.\n";
                 files["pm/.env"] = "OWN=3\n";
                 files["org.yaml"] += "      - {name: New, tier: 3}\n";
                 world.push(files);
             }},
            {"move and remove",
             [](OrgWorld& world) {
                 auto files = acme;
                 files["org.yaml"] =
                     "name: Dev\nworkspaces:\n  - name: PM\n    files_dir: pm\n    children:\n"
                     "      - {name: BE, children: [{name: QA}]}\n";
                 files.erase(".env");
                 world.push(files);
             }},
            {"delete", [](OrgWorld& world) {
                 const auto org = world.objects.find<crds::Org>("default", "acme");
                 CHECK(org && *org);
                 CHECK(world.objects.remove(**org, world.clock.now()));
             }}};
}

// The law of a reconciler: whichever write fails, before or after it had its effect, going on gets
// to the same place; once there, nothing is touched.
TEST(OrgLaw, ConvergesThroughAnyFailedWriteThenRests) {
    const auto steps = story();
    for (std::size_t broken = 0; broken < steps.size(); ++broken) {
        std::string expected;
        {
            OrgWorld world;
            for (std::size_t i = 0; i <= broken; ++i) {
                steps[i].act(world);
                world.settle();
            }
            expected = world.everything();
        }
        for (const bool after : {false, true}) {
            for (int nth = 1;; ++nth) {
                SCOPED_TRACE(std::string(steps[broken].name) + ", write " + std::to_string(nth) +
                             (after ? " fails after its effect" : " fails"));
                OrgWorld world;
                for (std::size_t i = 0; i < broken; ++i) {
                    steps[i].act(world);
                    world.settle();
                }
                steps[broken].act(world);
                const int before = world.store.writes();
                world.store.fail_write(nth, after);
                world.settle();
                const bool failed = world.store.writes() - before >= nth;
                world.store.fail_write(0, false);
                EXPECT_EQ(world.everything(), expected);
                EXPECT_EQ(world.settle(), 0);
                if (!failed) break;
                ASSERT_LT(nth, 200);
            }
        }
    }
}

TEST(OrgLaw, ConvergesThroughFailuresOfGit) {
    for (const char* call : {"refs", "fetch"}) {
        for (const auto when : {fakes::When::before, fakes::When::after}) {
            SCOPED_TRACE(call);
            OrgWorld world;
            world.push(acme);
            world.make_git_template();
            world.make_org();
            world.git.plan({.call = call, .nth = 1, .when = when, .code = Code::unavailable});
            EXPECT_FALSE(world.turn());
            world.settle();
            EXPECT_FALSE(world.git.faults_left());
            EXPECT_EQ(world.workspaces(), "acme-be<acme-pm acme-pm acme-qa<acme-pm");
        }
    }
}

// Random edits of a template: never two workspaces of one key, none lost, none of others touched,
// and a plan that is carried out leaves nothing to do.
TEST(OrgLaw, RandomEditsNeverDuplicateOrLoseAWorkspace) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        SCOPED_TRACE(seed);
        SeededRandom random(seed);
        OrgWorld world;
        world.push({{"org.yaml", yaml_of({"W0"})}});
        world.make_git_template();
        world.make_org();
        crds::Meta meta;
        meta.name = "acme-other";
        meta.ns = "default";
        ASSERT_TRUE(world.objects.create<crds::Workspace>(meta, {}, world.clock.now()));
        world.change<crds::Org>("acme", [](auto& org) { org.spec.prune.max_percent = 100; });
        for (int edit = 0; edit < 15; ++edit) {
            // A random forest over some of twelve names.
            std::vector<int> parent(12, -2);
            std::set<std::string> expected{"acme-other"};
            for (int i = 0; i < 12; ++i) {
                if (random.next() % 3 == 0 && i > 0) continue;
                parent[static_cast<std::size_t>(i)] = -1;
                if (i > 0) {
                    const auto up = static_cast<int>(random.next() % static_cast<unsigned>(i));
                    if (parent[static_cast<std::size_t>(up)] != -2) {
                        parent[static_cast<std::size_t>(i)] = up;
                    }
                }
                expected.insert("acme-w" + std::to_string(i));
            }
            std::function<std::string(int)> subtree = [&](int node) {
                std::string text = "{name: W" + std::to_string(node) +
                                   ", tier: " + std::to_string(1 + random.next() % 4) +
                                   ", children: [";
                for (int i = 0; i < 12; ++i) {
                    if (parent[static_cast<std::size_t>(i)] == node) text += subtree(i) + ", ";
                }
                return text + "]}";
            };
            std::string yaml = "name: Dev\nworkspaces:\n";
            for (int i = 0; i < 12; ++i) {
                if (parent[static_cast<std::size_t>(i)] == -1) yaml += "  - " + subtree(i) + "\n";
            }
            world.push({{"org.yaml", yaml}});
            world.settle();
            std::set<std::string> names;
            const auto snapshot = world.store.list("workspaces.atelier.dev");
            for (const auto& object : snapshot->objects) {
                names.insert(object->key.name);
                const auto workspace = world.read<crds::Workspace>(object->key.name);
                if (object->key.name == "acme-other") continue;
                const int node = std::stoi(object->key.name.substr(6));
                const int up = parent[static_cast<std::size_t>(node)];
                EXPECT_EQ(workspace.spec.parent, up < 0 ? "" : "acme-w" + std::to_string(up));
            }
            EXPECT_EQ(names, expected);
        }
    }
}

}  // namespace
}  // namespace atelier::reconcilers
