// An org of 39 workspaces over two repositories, served by git over HTTP to who has the token: the
// real client and cache under the reconcilers.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/reconcilers/org_world.h"
#include "tests/support/process.h"

namespace atelier::reconcilers {
namespace {

namespace fs = std::filesystem;
using Files = std::vector<std::pair<std::string, std::string>>;

constexpr const char* token = "s3cret-T0ken-value";

// A lead and `people` below it, each with a folder.
void add_team(Files& files, const std::string& name, int people) {
    std::string yaml = fmt::format("name: {0} Lead\nfiles_dir: {0}-lead\nchildren:\n", name);
    files.emplace_back(name + "-lead/system-prompt.md", "You lead " + name + ".\n");
    for (int i = 0; i < people; ++i) {
        yaml += fmt::format("  - {{name: {0} {1}, files_dir: {0}-{1}}}\n", name, i);
        files.emplace_back(fmt::format("{}-{}/system-prompt.md", name, i), "You work.\n");
    }
    files.emplace_back(fmt::format("teams/{}.yaml", name), yaml);
}

class OrgOverHttp : public testing::Test {
  protected:
    static constexpr int nodes = 39;

    OrgOverHttp() {
        Files ours;
        std::string yaml = "name: Dev\nworkspaces:\n  - name: PM\n    children:\n";
        for (const char* team : {"core", "docs", "ops", "qa"}) {
            add_team(ours, team, 4);
            yaml += fmt::format("      - !include teams/{}.yaml\n", team);
        }
        yaml += "      - !external {repo: acme/research, ref: v1.0, path: teams/research.yaml}\n";
        ours.emplace_back("org.yaml", yaml);
        org_.commit(ours);
        Files theirs;
        add_team(theirs, "research", 17);
        research_commit_ = research_.commit(theirs);
        research_.git({"tag", "v1.0", research_commit_});

        crds::Secret secret;
        secret.meta.name = "creds";
        secret.meta.ns = "default";
        secret.meta.owners = {world_.make_org().as_owner()};
        secret.meta.owners[0].uid = "somebody-else";
        secret.data = {{"token", token}};
        CHECK(world_.objects.put_secret(secret, world_.clock.now()));
        crds::OrgTemplateSpec spec;
        spec.source.git = crds::GitSource{.url = server_.url("acme/org.git"),
                                          .ref = "main",
                                          .path = "",
                                          .secret_ref = crds::LocalRef{"creds"}};
        world_.make_template(spec);
    }

    void reconcile() {
        world_.clock.now_ += std::chrono::minutes(5);
        const auto done = templates_.reconcile({"orgtemplates.atelier.dev", "default", "dev"},
                                               world_.clock.now());
        ASSERT_TRUE(done) << done.error().message;
        ASSERT_TRUE(world_.reconcile_org());
    }
    crds::OrgTemplateStatus status() { return world_.read<crds::OrgTemplate>("dev").status; }

    SystemClock clock_;
    support::TemporaryDirectory home_;
    support::Repository org_{home_.path() / "served" / "acme" / "org.git"};
    support::Repository research_{home_.path() / "served" / "acme" / "research.git"};
    support::GitServer server_{home_.path() / "served", token};
    const std::string host_ = server_.url("").substr(0, server_.url("").size() - 1);
    std::unique_ptr<drivers::Git> git_ = [this] {
        auto git = drivers::open_git(home_.path() / "cache", {}, clock_, Log());
        CHECK(git);
        return *std::move(git);
    }();
    OrgWorld world_;
    OrgTemplateReconciler templates_{world_.objects,
                                     *git_,
                                     world_.trees,
                                     {},
                                     {.policy = {host_, {host_ + "/acme"}}, .token = ""}};
    std::string research_commit_;
};

TEST_F(OrgOverHttp, IsOneOrgAndIsFetchedOnce) {
    reconcile();
    EXPECT_EQ(status().counts.spawning, nodes);
    ASSERT_EQ(status().externals.size(), 1u);
    EXPECT_EQ(status().externals[0].url, server_.url("acme/research.git"));
    EXPECT_EQ(status().externals[0].commit, research_commit_);
    const auto all = world_.objects.list<crds::Workspace>("default");
    ASSERT_TRUE(all);
    EXPECT_EQ(all->size(), static_cast<std::size_t>(nodes));
    EXPECT_EQ(world_.read<crds::Workspace>("acme-research-lead").spec.parent, "acme-pm");
    const auto file = world_.read<crds::Workspace>("acme-research-lead").spec.files.at(1);
    EXPECT_EQ(*world_.trees.read(file.artifact->digest, file.path), "You lead research.\n");

    // What is there already is looked up, and not fetched again.
    const std::string artifact = status().artifact_digest;
    const std::size_t first = server_.requests().size();
    reconcile();
    EXPECT_LT(server_.requests().size() - first, first);
    EXPECT_EQ(status().artifact_digest, artifact);
    for (const std::string& request : server_.requests()) {
        EXPECT_TRUE(request.ends_with(" auth")) << request;
    }
    for (const char* resource : {"orgtemplates.atelier.dev", "orgs.atelier.dev", "events"}) {
        const auto snapshot = world_.store.list(resource);
        for (const auto& object : snapshot->objects) {
            EXPECT_EQ(object->body.find(token), std::string::npos) << object->key.text();
        }
    }
}

TEST_F(OrgOverHttp, Scenario05_ACacheThatIsNotCompleteIsFetchedAgain) {
    reconcile();
    const std::string artifact = status().artifact_digest;
    int halves = 0;
    for (const auto& cache : fs::directory_iterator(home_.path() / "cache")) {
        halves += fs::remove_all(cache.path() / "complete") > 0 ? 1 : 0;
    }
    EXPECT_EQ(halves, 2);
    reconcile();
    EXPECT_EQ(status().artifact_digest, artifact);
    for (const auto& cache : fs::directory_iterator(home_.path() / "cache")) {
        EXPECT_TRUE(fs::exists(cache.path() / "complete")) << cache.path();
    }
}

}  // namespace
}  // namespace atelier::reconcilers
