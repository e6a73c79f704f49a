// An Org and the revisions of its template: history, pins, and what a pin keeps.
#include <gtest/gtest.h>

#include "base/digest.h"
#include "crds/template_revision.h"
#include "reconcilers/org/revision_diff.h"
#include "reconcilers/org/status.h"
#include "templates/layers.h"
#include "tests/reconcilers/org_world.h"

namespace atelier::reconcilers {
namespace {

using Files = std::map<std::string, std::string>;

// Version n of a template: a workspace PM with a file and a value, and one of its own.
Files version(int n) {
    return {{"org.yaml", "name: Dev\nworkspaces:\n  - {name: PM, files_dir: pm}\n  - {name: V" +
                             std::to_string(n) + "}\n"},
            {"pm/system-prompt.md", "version " + std::to_string(n) + "\n"},
            {"pm/.env", "OWN=value-" + std::to_string(n) + "\n"}};
}

class Revisions : public testing::Test {
  protected:
    void SetUp() override {
        commits.push_back(world.push(version(1)));
        world.make_git_template();
        world.make_org();
        world.settle();
    }
    std::string push(const Files& files) {
        commits.push_back(world.push(files));
        world.settle();
        return commits.back();
    }
    void pin(const std::string& revision, const std::string& by = {}) {
        world.change<crds::Org>("acme", [&](crds::Org& org) {
            org.spec.revision = revision;
            if (!by.empty()) {
                org.meta.annotations[std::string(crds::annotation::revision_by)] =
                    crds::revision_by_text(revision, by);
            }
        });
        world.settle();
    }
    crds::OrgStatus org() { return world.read<crds::Org>("acme").status; }
    crds::OrgTemplateStatus source() { return world.read<crds::OrgTemplate>("dev").status; }
    // "3 2 1": the history by the number of the commit.
    std::string history() {
        std::string text;
        for (const auto& entry : source().history) {
            const auto at = std::find(commits.begin(), commits.end(), entry.revision);
            text += (text.empty() ? "" : " ") + std::to_string(at - commits.begin() + 1);
        }
        return text;
    }
    std::string own_value() {
        const auto secret = world.objects.secret("default", "acme-pm-env");
        return secret && *secret ? (*secret)->data.at("OWN") : "none";
    }
    std::string prompt() {
        const auto files = world.read<crds::Workspace>("acme-pm").spec.files;
        for (const auto& file : files) {
            if (!file.artifact) continue;
            return *world.trees.read(file.artifact->digest, file.artifact->path);
        }
        return "none";
    }
    std::size_t layer_secrets() {
        const auto uid = world.read<crds::OrgTemplate>("dev").meta.uid;
        return world.objects.secrets_of("default", uid)->size();
    }
    static std::string said(const crds::StatusBase& status, std::string_view type) {
        const crds::Condition* found = status.find(type);
        return found ? std::string(json::name_of(found->status)) + " " + found->reason : "none";
    }
    std::string message(std::string_view type) {
        const crds::OrgStatus status = org();
        const crds::Condition* found = status.find(type);
        return found ? found->message : "none";
    }

    OrgWorld world;
    std::vector<std::string> commits;
};

TEST_F(Revisions, AreRememberedWithWhoAndWhat) {
    commits.push_back(world.git.commit(
        OrgWorld::url,
        {{"org.yaml", {.bytes = version(2).at("org.yaml")}}, {"pm/a", {.bytes = "a"}}}, "main",
        {"Ada", "a new team"}));
    world.settle();
    ASSERT_EQ(history(), "2 1");
    const auto entries = source().history;
    EXPECT_EQ(entries[0].author, "Ada");
    EXPECT_EQ(entries[0].subject, "a new team");
    EXPECT_EQ(entries[0].workspaces, 2);
    EXPECT_EQ(entries[0].artifact_digest, source().artifact_digest);
    ASSERT_TRUE(entries[0].compiled_at && entries[1].compiled_at);
    EXPECT_GT(*entries[0].compiled_at, *entries[1].compiled_at);
    EXPECT_EQ(world.settle(), 0) << "nothing is written when nothing changed";
    const auto ran = org().history;
    ASSERT_EQ(ran.size(), 2u);
    EXPECT_EQ(ran[0].revision, commits[1]);
    EXPECT_EQ(ran[0].by, "template");
    EXPECT_EQ(ran[1].revision, commits[0]);
}

TEST_F(Revisions, ACommitThatChangesNothingHereIsNone) {
    Files files = version(1);
    files["README.md"] = "x\n";
    const std::string commit = push(files);
    EXPECT_EQ(history(), "1");
    EXPECT_EQ(source().revision, commit);
    EXPECT_EQ(org().revision, commit);
    EXPECT_EQ(org().history.size(), 1u);
    EXPECT_EQ(layer_secrets(), 1u);
}

TEST_F(Revisions, AnotherValueIsARevisionThoughNoFileChanged) {
    Files files = version(1);
    files["pm/.env"] = "OWN=another\n";
    push(files);
    EXPECT_EQ(history(), "2 1");
    EXPECT_EQ(own_value(), "another");
    EXPECT_EQ(source().history[0].artifact_digest, source().history[1].artifact_digest);
    pin(commits[0]);
    EXPECT_EQ(own_value(), "value-1");
    pin("");
    EXPECT_EQ(own_value(), "another");
    ASSERT_EQ(org().history.size(), 4u);
    EXPECT_EQ(org().history[1].revision, commits[0]);
}

TEST_F(Revisions, APinBringsBackFilesEnvironmentAndWorkspaces) {
    push(version(2));
    push(version(3));
    EXPECT_EQ(world.workspaces(), "acme-pm acme-v3");
    const std::string at_three = world.everything();
    pin(commits[0], "Ada");
    EXPECT_EQ(world.workspaces(), "acme-pm acme-v1");
    EXPECT_EQ(prompt(), "version 1\n");
    EXPECT_EQ(own_value(), "value-1");
    EXPECT_EQ(org().revision, commits[0]);
    EXPECT_EQ(said(org(), "Pinned"), "True Behind");
    EXPECT_NE(message("Pinned").find("the template has " + commits[2]), std::string::npos);
    EXPECT_EQ(org().history[0].by, "Ada");
    EXPECT_EQ(org().history[0].revision, commits[0]);

    push(version(4));
    EXPECT_EQ(world.workspaces(), "acme-pm acme-v1") << "commits go on; the org stays";
    EXPECT_NE(message("Pinned").find("the template has " + commits[3]), std::string::npos);
    pin(commits[1].substr(0, 7));
    EXPECT_EQ(prompt(), "version 2\n");
    EXPECT_EQ(org().revision, commits[1]) << "the whole name";
    EXPECT_EQ(org().history[0].by, "api");
    pin(source().history.back().artifact_digest);
    EXPECT_EQ(prompt(), "version 1\n");
    pin("");
    EXPECT_EQ(prompt(), "version 4\n");
    EXPECT_EQ(own_value(), "value-4");
    EXPECT_EQ(said(org(), "Pinned"), "none");
    EXPECT_EQ(org().history[0].by, "template");
    EXPECT_EQ(world.settle(), 0);
}

TEST_F(Revisions, AnUnknownOneChangesNothing) {
    push(version(2));
    const std::string before = world.workspaces() + prompt() + own_value();
    for (const std::string revision : {"0000000000", "111111"}) {
        pin(revision);
        EXPECT_EQ(world.workspaces() + prompt() + own_value(), before);
        EXPECT_EQ(said(org(), "Stalled"), "True RevisionUnknown");
        EXPECT_EQ(said(org(), "Ready"), "False RevisionUnknown");
        EXPECT_EQ(said(org(), "Pinned"), "False RevisionUnknown");
        EXPECT_EQ(org().revision, commits[1]) << "what still runs";
        EXPECT_NE(message("Stalled").find(commits[0].substr(0, 12)), std::string::npos)
            << message("Stalled");
        EXPECT_NE(message("Stalled").find("atelier follow acme"), std::string::npos);
    }
    push(version(3));
    EXPECT_EQ(world.workspaces() + prompt() + own_value(), before);
    pin("");
    EXPECT_EQ(prompt(), "version 3\n");
    EXPECT_EQ(said(org(), "Stalled"), "none");
}

TEST_F(Revisions, OnesThatArePinnedOutliveTheLimit) {
    world.change<crds::OrgTemplate>("dev", [](auto& o) { o.spec.revision_history_limit = 2; });
    push(version(2));
    pin(commits[0]);
    for (int n = 3; n <= 6; ++n) push(version(n));
    EXPECT_EQ(history(), "6 5 1");
    EXPECT_EQ(layer_secrets(), 3u);
    EXPECT_EQ(own_value(), "value-1");
    EXPECT_EQ(prompt(), "version 1\n");
    pin("");
    EXPECT_EQ(history(), "6 5");
    EXPECT_EQ(layer_secrets(), 2u);
    EXPECT_EQ(prompt(), "version 6\n");
}

// The pinned artifact was compiled once: that the template does not compile today, or cannot be
// fetched, says nothing about what is in it.
TEST_F(Revisions, APinHoldsAndPrunesWhileTheTemplateIsBroken) {
    push(version(2));
    Files broken = version(3);
    broken["org.yaml"] = "name: [\n";
    push(broken);
    EXPECT_EQ(said(source(), "Ready").substr(0, 5), "False");
    pin(commits[0]);
    EXPECT_EQ(world.workspaces(), "acme-pm acme-v1");
    EXPECT_EQ(own_value(), "value-1");
    world.git.set_away(true);
    world.change<crds::Org>("acme", [&](auto& o) { o.spec.revision = commits[1]; });
    for (int i = 0; i < 5; ++i) world.turn();
    EXPECT_EQ(world.workspaces(), "acme-pm acme-v2");
    EXPECT_EQ(said(org(), "Stalled"), "none");
}

TEST_F(Revisions, ALostTreeOfAPinDeletesNothing) {
    push(version(2));
    world.trees.lose(source().history.back().artifact_digest);
    const std::string before = world.workspaces() + prompt() + own_value();
    world.change<crds::Org>("acme", [&](auto& o) { o.spec.revision = commits[0]; });
    OrgReconciler after_a_restart(world.objects, world.trees, Log());
    ASSERT_TRUE(
        after_a_restart.reconcile({"orgs.atelier.dev", "default", "acme"}, world.clock.now()));
    EXPECT_EQ(world.workspaces() + prompt() + own_value(), before);
    EXPECT_EQ(said(org(), "Stalled"), "True ArtifactMissing");
}

TEST_F(Revisions, LostValuesOfAPinChangeNothing) {
    push(version(2));
    const auto name = templates::layers_secret_name("dev", source().history.back());
    const auto secret = world.objects.secret("default", name);
    ASSERT_TRUE(secret && *secret);
    ASSERT_TRUE(world.objects.remove_secret(**secret, world.clock.now()));
    const std::string before = world.workspaces() + prompt() + own_value();
    world.change<crds::Org>("acme", [&](auto& o) { o.spec.revision = commits[0]; });
    for (int i = 0; i < 3; ++i) world.turn();
    EXPECT_EQ(world.workspaces() + prompt() + own_value(), before);
}

TEST_F(Revisions, AnOrgRemembersTwenty) {
    for (int n = 2; n <= 25; ++n) push(version(n));
    EXPECT_EQ(org().history.size(), 20u);
    EXPECT_EQ(org().history[0].revision, commits.back());
    EXPECT_EQ(source().history.size(), 10u);
    EXPECT_EQ(layer_secrets(), 10u);
}

// Of an older server: one Secret without a revision in its name, and no history.
TEST_F(Revisions, TheSecretOfAnOlderServerGivesWay) {
    auto object = world.read<crds::OrgTemplate>("dev");
    const auto now_named = world.objects.secret(
        "default", templates::layers_secret_name("dev", object.status.history.at(0)));
    ASSERT_TRUE(now_named && *now_named);
    crds::Secret old = **now_named;
    old.meta = {};
    old.meta.name = "dev.template-env";
    old.meta.ns = "default";
    old.meta.labels = (*now_named)->meta.labels;
    old.meta.owners = (*now_named)->meta.owners;
    ASSERT_TRUE(world.objects.put_secret(old, world.clock.now()));
    ASSERT_TRUE(world.objects.remove_secret(**now_named, world.clock.now()));
    auto status = object.status;
    status.history.clear();
    ASSERT_TRUE(world.objects.report(object, status, world.clock.now()));
    world.settle();
    EXPECT_EQ(history(), "1");
    EXPECT_EQ(own_value(), "value-1");
    EXPECT_FALSE(*world.objects.secret("default", "dev.template-env"));
    EXPECT_EQ(layer_secrets(), 1u);
}

// The interesting part of a diff, as JSON.
std::string essence(const Result<json::Document>& diff) {
    if (!diff) return "ERROR: " + diff.error().message;
    json::Document out = json::copy(*diff);
    for (const char* name : {"apiVersion", "kind", "org", "since", "to"}) json::remove(out, name);
    return json::canonical(out);
}

TEST_F(Revisions, ADiffNamesWhatChanged) {
    push({{"org.yaml",
           "name: Dev 2\nworkspaces:\n  - {name: Lead, children: [{name: PM, files_dir: pm, model: "
           "opus}]}\n"},
          {".env", "SHARED=all\n"},
          {"pm/system-prompt.md", "version 2\n"},
          {"pm/notes.md", "new\n"},
          {"pm/.env", "OWN=value-2\nMORE=1\n"}});
    const auto diff = [&](const std::string& since, const std::string& to) {
        return org::revision_diff(world.objects, world.trees, "default", "acme", since, to);
    };
    const std::string one = sha256_hex("version 1\n").substr(0, 12);
    const std::string two = sha256_hex("version 2\n").substr(0, 12);
    const std::string notes = sha256_hex("new\n").substr(0, 12);
    const std::string expected =
        R"({"env":{"added":["SHARED"]},)"
        R"("fields":[{"after":"Dev 2","before":"Dev","name":"name"}],"workspaces":[)"
        R"({"change":"Added","key":"lead","name":"Lead"},)"
        R"({"change":"Changed","env":{"added":["MORE"],"changed":["OWN"]},)"
        R"("fields":[{"after":"opus","name":"model"}],"files":[)"
        R"({"after":")" +
        notes + R"(","path":"notes.md"},{"after":")" + two + R"(","before":")" + one +
        R"(","path":"system-prompt.md"}],"key":"pm","name":"PM",)"
        R"("parent":{"after":"lead","before":""}},)"
        R"({"change":"Removed","key":"v1","name":"V1"}]})";
    EXPECT_EQ(essence(diff(commits[0], commits[1])), expected);
    EXPECT_EQ(essence(diff(commits[0].substr(0, 8), "")), expected);
    EXPECT_EQ(essence(diff("", "")), R"({"workspaces":[]})") << "it runs the newest";
    pin(commits[0]);
    EXPECT_EQ(essence(diff("", "")), expected) << "what following would change";
    const auto back = diff(commits[1], commits[0]);
    ASSERT_TRUE(back);
    EXPECT_EQ(json::string_at(*back, {"since", "revision"}), commits[1]);
    EXPECT_EQ(json::string_at(*back, {"to", "author"}), "t");
    EXPECT_EQ(json::text(*back).find("value-"), std::string::npos) << "no value is told";
    EXPECT_NE(essence(diff("0000000", "")).find("the template has no revision \"0000000\""),
              std::string::npos);
    EXPECT_EQ(essence(org::revision_diff(world.objects, world.trees, "default", "none", "", "")),
              "ERROR: there is no Org none");
    world.trees.lose(source().history[1].artifact_digest);
    EXPECT_NE(essence(diff(commits[0], "")).find("is no longer here"), std::string::npos);
}

TEST_F(Revisions, ANodeThatIsNoLongerSpawnedIsNotRemoved) {
    Files files = version(1);
    files["org.yaml"] =
        "name: Dev\nworkspaces:\n  - {name: PM, files_dir: pm}\n"
        "  - {name: V1, spawning: false}\n";
    push(files);
    EXPECT_EQ(
        essence(org::revision_diff(world.objects, world.trees, "default", "acme", commits[0], "")),
        R"({"workspaces":[{"change":"NotSpawned","key":"v1","name":"V1"}]})");
}

}  // namespace
}  // namespace atelier::reconcilers
