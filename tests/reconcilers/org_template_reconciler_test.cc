#include <gtest/gtest.h>

#include <fstream>

#include "templates/layers.h"
#include "tests/reconcilers/org_world.h"

namespace atelier::reconcilers {
namespace {

constexpr const char* two = "name: Dev\nworkspaces:\n  - {name: PM, children: [{name: BE}]}\n";

std::string ready_of(const crds::OrgTemplate& object) {
    const auto* ready = object.status.find("Ready");
    return ready ? std::string(json::name_of(ready->status)) + " " + ready->reason : "none";
}

templates::CompiledOrg artifact_of(OrgWorld& world) {
    const auto object = world.read<crds::OrgTemplate>("dev");
    const auto text =
        world.trees.read(object.status.artifact_digest, std::string(templates::tree_file));
    CHECK(text);
    const auto document = json::parse(*text);
    CHECK(document);
    auto org = json::read<templates::CompiledOrg>(static_cast<const json::Value&>(*document));
    CHECK(org);
    return std::move(*org);
}

TEST(OrgTemplateReconciler, CompilesFromGitAndFollowsIt) {
    OrgWorld world;
    const std::string first = world.push({{"org.yaml", two}});
    world.make_git_template();
    world.settle();
    auto object = world.read<crds::OrgTemplate>("dev");
    EXPECT_EQ(ready_of(object), "True Compiled");
    EXPECT_TRUE(object.status.is_true("SourceReady"));
    EXPECT_TRUE(object.status.is_true("Rendered"));
    EXPECT_EQ(object.status.revision, first);
    EXPECT_EQ(object.status.counts.spawning, 2);
    EXPECT_EQ(object.status.template_name, "Dev");
    EXPECT_EQ(artifact_of(world).nodes.size(), 2u);
    const auto fetched = object.status.last_fetch_time;

    const std::string second = world.push({{"org.yaml", "name: Dev\nworkspaces: [{name: PM}]\n"}});
    const auto outcome = world.reconcile_template();
    ASSERT_TRUE(outcome);
    EXPECT_EQ(outcome->wake_at, world.clock.now() + object.spec.interval);
    object = world.read<crds::OrgTemplate>("dev");
    EXPECT_EQ(object.status.revision, second);
    EXPECT_NE(object.status.last_fetch_time, fetched);
    EXPECT_EQ(artifact_of(world).nodes.size(), 1u);
}

// The controller looks at every key after ten minutes at the latest.
TEST(OrgTemplateReconciler, Fault23_AnIntervalOfHoursIsKept) {
    OrgWorld world;
    world.push({{"org.yaml", two}});
    world.make_git_template();
    world.change<crds::OrgTemplate>(
        "dev", [](crds::OrgTemplate& o) { o.spec.interval = std::chrono::hours(6); });
    const Instant begin = world.clock.now_;
    ASSERT_TRUE(world.reconcile_template());
    const auto calls = [&] { return world.git.calls().size(); };
    const std::size_t read = calls();
    const auto reads_after = [&](Duration wait) {
        world.clock.now_ = begin + wait;
        const std::size_t before = calls();
        const auto outcome = world.reconcile_template();
        EXPECT_TRUE(outcome);
        if (calls() > before) return true;
        EXPECT_EQ(outcome->wake_at, begin + std::chrono::hours(6));
        return false;
    };
    EXPECT_FALSE(reads_after(std::chrono::minutes(10)));
    EXPECT_FALSE(reads_after(std::chrono::hours(5)));
    EXPECT_EQ(calls(), read);
    // What the template depends on changes.
    world.change<crds::OrgTemplate>("dev", [](crds::OrgTemplate& o) {
        o.meta.annotations["atelier.dev/reconcile-requested-at"] = "now";
    });
    EXPECT_TRUE(reads_after(std::chrono::hours(5)));
    EXPECT_TRUE(reads_after(std::chrono::hours(12))) << "the interval is over";
}

// Fault 19: a wait that was computed before the clock changed does not outlive the change.
TEST(OrgTemplateReconciler, Fault19_AClockThatIsSetEndsTheInterval) {
    for (const int days : {-3650, -1, 1, 3650}) {
        SCOPED_TRACE(days);
        OrgWorld world;
        world.push({{"org.yaml", two}});
        world.make_git_template();
        world.change<crds::OrgTemplate>(
            "dev", [](crds::OrgTemplate& o) { o.spec.interval = std::chrono::hours(6); });
        ASSERT_TRUE(world.reconcile_template());
        const auto calls = world.git.calls().size();
        world.clock.now_ += std::chrono::hours(24 * days);
        const auto outcome = world.reconcile_template();
        ASSERT_TRUE(outcome);
        EXPECT_GT(world.git.calls().size(), calls);
        EXPECT_EQ(outcome->wake_at, world.clock.now_ + std::chrono::hours(6));
    }
}

// argoproj/argo-cd#25599: a tag with the name of the branch rolled the template back.
TEST(OrgTemplateReconciler, Fault24_ATagDoesNotShadowTheBranch) {
    OrgWorld world;
    const std::string first = world.push({{"org.yaml", "name: Dev\nworkspaces: [{name: PM}]\n"}});
    const std::string second = world.push({{"org.yaml", two}});
    world.make_git_template();
    world.settle();
    world.git.tag(OrgWorld::url, "main", first);
    world.settle();
    auto object = world.read<crds::OrgTemplate>("dev");
    EXPECT_EQ(object.status.revision, second);
    ASSERT_EQ(object.status.warnings.size(), 1u);
    EXPECT_EQ(object.status.warnings[0].reason, "AmbiguousRef");
    EXPECT_NE(object.status.warnings[0].message.find("refs/tags/main"), std::string::npos);
    // Either can be named.
    world.change<crds::OrgTemplate>(
        "dev", [](crds::OrgTemplate& o) { o.spec.source.git->ref = "refs/tags/main"; });
    world.settle();
    object = world.read<crds::OrgTemplate>("dev");
    EXPECT_EQ(object.status.revision, first);
    EXPECT_TRUE(object.status.warnings.empty());
    world.change<crds::OrgTemplate>(
        "dev", [](crds::OrgTemplate& o) { o.spec.source.git->ref = "refs/heads/main"; });
    world.settle();
    EXPECT_EQ(world.read<crds::OrgTemplate>("dev").status.revision, second);
}

// fluxcd/flux2#1895: what a repository has in submodules and in Git LFS is not delivered.
TEST(OrgTemplateReconciler, Fault26_SubmodulesAndLfsPointersAreNamed) {
    OrgWorld world;
    const std::string commit = world.push({{"org.yaml", two}});
    world.git.set_gaps(OrgWorld::url, commit,
                       {.submodules = {"pm/skills"}, .lfs_pointers = {"pm/model.bin"}});
    world.make_git_template();
    world.settle();
    std::string told;
    for (const auto& warning : world.read<crds::OrgTemplate>("dev").status.warnings) {
        told += warning.reason + " " + warning.file + "\n";
    }
    EXPECT_EQ(told, "SubmoduleLeftOut pm/skills\nLfsPointer pm/model.bin\n");
}

TEST(OrgTemplateReconciler, WhatIsTooLongToBeSaidIsCutBetweenCharacters) {
    for (int shift = 0; shift < 3; ++shift) {
        OrgWorld world;
        std::string names(static_cast<std::size_t>(shift), 'x');
        for (int i = 0; i < 1500; ++i) names += "漢";
        world.push(
            {{"org.yaml", "name: Dev\nworkspaces: [{name: a, plugins: [\"" + names + "\"]}]\n"}});
        world.make_git_template();
        EXPECT_TRUE(world.reconcile_template());
        const auto object = world.read<crds::OrgTemplate>("dev");
        EXPECT_TRUE(ready_of(object).starts_with("False ")) << ready_of(object);
    }
}

TEST(OrgTemplateReconciler, AFailingSourceKeepsTheLastGoodArtifact) {
    OrgWorld world;
    const std::string commit = world.push({{"org.yaml", two}});
    world.make_git_template();
    world.settle();
    const auto good = world.read<crds::OrgTemplate>("dev").status;

    world.git.set_away(true);
    EXPECT_FALSE(world.reconcile_template()) << "tried again with backoff";
    auto object = world.read<crds::OrgTemplate>("dev");
    EXPECT_EQ(ready_of(object), "False SourceFetchFailed");
    EXPECT_TRUE(object.status.is_true("Reconciling"));
    EXPECT_EQ(object.status.artifact_digest, good.artifact_digest);
    EXPECT_EQ(object.status.revision, commit);

    world.git.set_away(false);
    world.push({{"org.yaml", "name: Dev\nworkspaces:\n  - !include a.yaml\n"}});
    const auto outcome = world.reconcile_template();
    ASSERT_TRUE(outcome);
    EXPECT_TRUE(outcome->wake_at) << "looks again at the interval";
    object = world.read<crds::OrgTemplate>("dev");
    EXPECT_EQ(ready_of(object), "False IncludeMissing");
    EXPECT_TRUE(object.status.is_true("Stalled"));
    EXPECT_FALSE(object.status.is_true("Reconciling"));
    EXPECT_TRUE(object.status.is_true("SourceReady"));
    EXPECT_EQ(object.status.artifact_digest, good.artifact_digest);
    EXPECT_EQ(object.status.find("Ready")->message,
              "org.yaml:3:5: cannot read a.yaml: there is no such file");
    const Revision before = world.store.revision();
    ASSERT_TRUE(world.reconcile_template());
    EXPECT_EQ(world.store.revision(), before) << "the same again is not told again";

    world.push({{"org.yaml", two}});
    ASSERT_TRUE(world.reconcile_template());
    object = world.read<crds::OrgTemplate>("dev");
    EXPECT_EQ(ready_of(object), "True Compiled");
    EXPECT_EQ(object.status.find("Stalled"), nullptr);
    EXPECT_EQ(object.status.artifact_digest, good.artifact_digest);
}

TEST(OrgTemplateReconciler, SourcesThatCannotBe) {
    struct Case {
        const char* name;
        std::function<void(crds::TemplateSource&)> set;
        const char* ready;
        bool looks_again;
    };
    const auto git = [](crds::TemplateSource& s) -> crds::GitSource& {
        s.git = crds::GitSource{.url = OrgWorld::url, .ref = "main", .path = "", .secret_ref = {}};
        return *s.git;
    };
    const Case cases[] = {
        {"no such branch", [&](auto& s) { git(s).ref = "none"; }, "False SourceNotFound", true},
        {"no such repository", [&](auto& s) { git(s).url = "http://git.example/x"; },
         "False SourceNotFound", true},
        {"no such folder", [&](auto& s) { git(s).path = "none"; }, "False SourceNotFound", true},
        {"no such secret", [&](auto& s) { git(s).secret_ref = crds::LocalRef{"none"}; },
         "False SourceNotFound", true},
        {"no folder of templates", [](auto& s) { s.directory = "dev"; }, "False UnsupportedSource",
         false},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        OrgWorld world;
        world.push({{"org.yaml", two}});
        crds::OrgTemplateSpec spec;
        c.set(spec.source);
        world.make_template(spec);
        const auto outcome = world.reconcile_template();
        const auto object = world.read<crds::OrgTemplate>("dev");
        EXPECT_EQ(ready_of(object), c.ready);
        EXPECT_TRUE(object.status.is_true("Stalled"));
        EXPECT_EQ(outcome && outcome->wake_at, c.looks_again);
    }
}

// Scenarios 3 and 4 as far as they touch the source of a template: refused before any call.
TEST(OrgTemplateReconciler, Scenario03And04_RefsAndPathsAreCheckedBeforeAnyCall) {
    for (const char* ref : {"main; rm -rf /", "--upload-pack=x", "a..b", "-x"}) {
        SCOPED_TRACE(ref);
        OrgWorld world;
        crds::OrgTemplateSpec spec;
        spec.source.git =
            crds::GitSource{.url = OrgWorld::url, .ref = ref, .path = "", .secret_ref = {}};
        crds::Meta meta;
        meta.name = "dev";
        meta.ns = "default";
        if (!world.objects.create<crds::OrgTemplate>(meta, spec, world.clock.now())) continue;
        EXPECT_EQ(world.reconcile_template().error().code, Code::invalid);
        EXPECT_TRUE(world.git.calls().empty());
    }
}

TEST(OrgTemplateReconciler, Scenario06_TheTokenIsSentAndNeverShown) {
    OrgWorld world;
    world.push({{"org.yaml", two}});
    world.git.need_secret(OrgWorld::url, "hunter2-token");
    crds::OrgTemplateSpec spec;
    spec.source.git = crds::GitSource{
        .url = OrgWorld::url, .ref = "main", .path = "", .secret_ref = crds::LocalRef{"creds"}};
    world.make_template(spec);
    world.turn();
    EXPECT_EQ(ready_of(world.read<crds::OrgTemplate>("dev")), "False SourceNotFound");

    const auto owner = world.make_org("someone");
    crds::Secret secret;
    secret.meta.name = "creds";
    secret.meta.ns = "default";
    secret.meta.owners = {owner.as_owner()};
    secret.data = {{"token", "wrong-token"}};
    ASSERT_TRUE(world.objects.put_secret(secret, world.clock.now()));
    ASSERT_TRUE(world.reconcile_template());
    EXPECT_EQ(ready_of(world.read<crds::OrgTemplate>("dev")), "False SourceAccessDenied");
    EXPECT_EQ(world.events().find("wrong-token"), std::string::npos);

    secret.data = {{"token", "hunter2-token\n"}};
    ASSERT_TRUE(world.objects.put_secret(secret, world.clock.now()));
    ASSERT_TRUE(world.reconcile_template());
    EXPECT_EQ(ready_of(world.read<crds::OrgTemplate>("dev")), "True Compiled");
}

TEST(OrgTemplateReconciler, InlineTemplatesHaveNoFiles) {
    OrgWorld world;
    world.make_inline_template(
        "name: Dev\nworkspaces:\n  - {name: A, files_dir: a}\n  - !include b.yaml\n  - {name: C, "
        "initial_prompt_file: c.md}\n");
    world.turn();
    const auto object = world.read<crds::OrgTemplate>("dev");
    EXPECT_EQ(ready_of(object), "False InlineTemplate");
    EXPECT_NE(object.status.find("Ready")->message.find("org.yaml:4:5"), std::string::npos);
}

TEST(OrgTemplateReconciler, WarnsOfUnknownFieldsWithTheirPlace) {
    OrgWorld world;
    world.make_inline_template("name: Dev\nworkspaces:\n  - {name: A, modle: x}\n");
    world.turn();
    const auto object = world.read<crds::OrgTemplate>("dev");
    EXPECT_EQ(ready_of(object), "True Compiled");
    ASSERT_EQ(object.status.warnings.size(), 1u);
    const auto& warning = object.status.warnings[0];
    EXPECT_EQ(warning.reason, "UnknownField");
    EXPECT_EQ(templates::text_of(warning),
              "org.yaml:3:22: unknown field \"modle\" of a workspace is ignored: did you mean "
              "\"model\"?");
}

TEST(OrgTemplateReconciler, ASuspendedTemplateIsLeftAlone) {
    OrgWorld world;
    world.push({{"org.yaml", two}});
    world.make_git_template();
    world.settle();
    const auto calls = world.git.calls().size();
    world.change<crds::OrgTemplate>("dev", [](auto& object) { object.spec.suspend = true; });
    const auto outcome = world.reconcile_template();
    ASSERT_TRUE(outcome);
    EXPECT_FALSE(outcome->wake_at);
    EXPECT_EQ(world.git.calls().size(), calls);
    EXPECT_TRUE(world.read<crds::OrgTemplate>("dev").status.is_true("Suspended"));
    world.change<crds::OrgTemplate>("dev", [](auto& object) { object.spec.suspend = false; });
    world.settle();
    EXPECT_EQ(world.read<crds::OrgTemplate>("dev").status.find("Suspended"), nullptr);
}

TEST(OrgTemplateReconciler, EnvironmentIsASecretAndNowhereElse) {
    OrgWorld world;
    world.push({{"org.yaml", "name: Dev\nworkspaces:\n  - {name: PM, files_dir: pm}\n"},
                {".env", "SHARED=org-value-xyz\n"},
                {"pm/.env", "OWN=node-value-xyz\n"},
                {"pm/system-prompt.md", "hi\n"}});
    world.make_git_template();
    world.settle();
    const auto object = world.read<crds::OrgTemplate>("dev");
    const std::string name = templates::layers_secret_name("dev", object.status.history.at(0));
    const auto secret = world.objects.secret("default", name);
    ASSERT_TRUE(secret && *secret);
    EXPECT_EQ((*secret)->meta.controller()->uid, object.meta.uid);
    const auto artifact = world.trees.get(object.status.artifact_digest);
    ASSERT_TRUE(artifact);
    for (const auto& [path, file] : **artifact) {
        EXPECT_EQ(file.bytes.find("value-xyz"), std::string::npos) << path;
    }
    const templates::CompiledOrg compiled = artifact_of(world);
    for (const templates::NodeFile& file : compiled.nodes.at(0).files) EXPECT_NE(file.path, ".env");
    EXPECT_EQ(world.events().find("value-xyz"), std::string::npos);
    EXPECT_EQ(world.store.get(object.key())->body.find("value-xyz"), std::string::npos);

    world.push({{"org.yaml", two}});
    world.settle();
    EXPECT_TRUE(*world.objects.secret("default", name)) << "for who goes back to that revision";
    world.change<crds::OrgTemplate>("dev", [](auto& o) { o.spec.revision_history_limit = 1; });
    world.settle();
    EXPECT_FALSE(*world.objects.secret("default", name)) << "no longer needed";
}

TEST(OrgTemplateReconciler, ALostTreeIsPutBack) {
    OrgWorld world;
    world.push({{"org.yaml", two}});
    world.make_git_template();
    world.settle();
    const auto digest = world.read<crds::OrgTemplate>("dev").status.artifact_digest;
    world.trees.lose(digest);
    world.settle();
    EXPECT_TRUE(world.trees.get(digest));
}

TEST(OrgTemplateReconciler, ReadsADirectory) {
    const auto root = std::filesystem::path(testing::TempDir()) / "org_template_directory";
    std::filesystem::remove_all(root);
    std::filesystem::create_directories(root / "dev");
    const auto write = [&](const std::string& text) {
        std::ofstream(root / "dev" / "org.yaml") << text;
    };
    write(two);
    {
        OrgWorld world(root);
        crds::OrgTemplateSpec spec;
        spec.source.directory = "dev";
        world.make_template(spec);
        world.settle();
        const auto first = world.read<crds::OrgTemplate>("dev").status;
        EXPECT_EQ(first.counts.spawning, 2);
        write("name: Dev\n");
        world.settle();
        const auto second = world.read<crds::OrgTemplate>("dev").status;
        EXPECT_EQ(second.counts.spawning, 0);
        EXPECT_NE(first.revision, second.revision);
        std::filesystem::remove_all(root / "dev");
        world.turn();
        EXPECT_EQ(ready_of(world.read<crds::OrgTemplate>("dev")), "False SourceNotFound");
    }
    std::filesystem::remove_all(root);
}

// It has no commits, and values may not be told: a key makes one revision of each.
TEST(OrgTemplateReconciler, InADirectoryAChangeOfValuesAloneIsARevision) {
    const auto root = std::filesystem::path(testing::TempDir()) / "org_template_values";
    std::filesystem::remove_all(root);
    std::filesystem::create_directories(root / "dev");
    const auto write = [&](const std::string& name, const std::string& text) {
        std::ofstream(root / "dev" / name) << text;
    };
    write("org.yaml", two);
    write(".env", "TOKEN=first\n");
    {
        OrgWorld world(root, key_of_revisions("secret"));
        crds::OrgTemplateSpec spec;
        spec.source.directory = "dev";
        world.make_template(spec);
        world.make_org();
        world.settle();
        const auto values = [&] {
            return (*world.objects.secret("default", "acme-pm-env"))->data.at("TOKEN");
        };
        const auto first = world.read<crds::OrgTemplate>("dev").status;
        EXPECT_EQ(first.history.size(), 1u);
        EXPECT_EQ(first.revision, first.history[0].revision);
        write(".env", "TOKEN=second\n");
        world.settle();
        const auto second = world.read<crds::OrgTemplate>("dev").status;
        ASSERT_EQ(second.history.size(), 2u);
        EXPECT_EQ(second.artifact_digest, first.artifact_digest);
        EXPECT_NE(second.revision, first.revision);
        EXPECT_EQ(second.revision, second.history[0].revision);
        EXPECT_EQ(values(), "second");
        // Back by a pin, and by the values themselves.
        world.change<crds::Org>("acme", [&](auto& org) { org.spec.revision = first.revision; });
        world.settle();
        EXPECT_EQ(values(), "first");
        world.change<crds::Org>("acme", [&](auto& org) { org.spec.revision.clear(); });
        write(".env", "TOKEN=first\n");
        world.settle();
        const auto third = world.read<crds::OrgTemplate>("dev").status;
        EXPECT_EQ(third.revision, first.revision) << "it is the same revision again";
        EXPECT_EQ(third.history.size(), 2u);
        EXPECT_EQ(values(), "first");
        // What nobody reads is none.
        write("README.md", "x\n");
        world.settle();
        EXPECT_EQ(world.read<crds::OrgTemplate>("dev").status.history.size(), 2u);
    }
    {
        // Without the key nobody can tell from a revision whether a guess is right.
        OrgWorld world(root, key_of_revisions("another"));
        crds::OrgTemplateSpec spec;
        spec.source.directory = "dev";
        world.make_template(spec);
        world.settle();
        OrgWorld bare(root);
        bare.make_template(spec);
        bare.settle();
        EXPECT_NE(world.read<crds::OrgTemplate>("dev").status.revision,
                  bare.read<crds::OrgTemplate>("dev").status.revision);
    }
    std::filesystem::remove_all(root);
}

// The artifact's name is the same on every machine: it does not depend on time, order or identity.
TEST(OrgTemplateReconciler, EqualTemplatesHaveEqualArtifacts) {
    std::string digests[2];
    for (std::string& digest : digests) {
        OrgWorld world;
        if (&digest == &digests[1]) world.clock.now_ += std::chrono::hours(1000);
        world.push({{"org.yaml", two}, {"unrelated.txt", &digest == &digests[1] ? "a" : "b"}});
        world.make_git_template();
        world.settle();
        digest = world.read<crds::OrgTemplate>("dev").status.artifact_digest;
    }
    EXPECT_EQ(digests[0], digests[1]);
}

}  // namespace
}  // namespace atelier::reconcilers
