// `!external`: what may be named, what is asked of whom with which credential, and what an
// OrgTemplate says when another repository cannot be had. What it compiles to is in the golden
// corpus.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>

#include "reconcilers/org_template/git_externals.h"
#include "tests/reconcilers/org_world.h"

namespace atelier::reconcilers {
namespace {

using namespace templates;

constexpr const char* research = "https://git.moleculesai.app/molecule-ai/research.git";

std::string ready_of(const crds::OrgTemplate& object) {
    const auto* ready = object.status.find("Ready");
    return ready ? std::string(json::name_of(ready->status)) + " " + ready->reason : "none";
}

drivers::Tree tree(const std::map<std::string, std::string>& files) {
    drivers::Tree out;
    for (const auto& [path, bytes] : files) out[path].bytes = bytes;
    return out;
}

std::string org_with(const std::string& external) {
    return "name: Dev\nworkspaces:\n  - name: PM\n    children:\n      - !external " + external +
           "\n";
}

constexpr const char* lead_of_research = "{repo: molecule-ai/research, ref: main, path: lead.yaml}";

// What was allowed or refused, as one word.
std::string verdict(const ExternalRequest& request, const ExternalPolicy& policy) {
    const auto target = check_external(request, policy);
    return target ? target->url : std::string(name_of(target.error().code));
}

TEST(External, Scenario04_TheAllowlistIsMatchedOnWholeSegments) {
    struct Case {
        const char* entry;
        const char* repo;
        const char* url;
        const char* verdict;
    };
    const Case cases[] = {
        {"h.example/org", "org/x", "", "https://h.example/org/x.git"},
        {"h.example/org/", "org/x", "", "https://h.example/org/x.git"},
        {"h.example/org/*", "org/x", "", "https://h.example/org/x.git"},
        {"h.example/org/x", "org/x", "", "https://h.example/org/x.git"},
        {"h.example", "any/x", "", "https://h.example/any/x.git"},
        {"H.Example:443/org", "org/x.git", "https://h.example/", "https://h.example/org/x.git"},
        {"http://h.example:80/org", "org/x", "http://H.example", "http://h.example/org/x.git"},
        {"h.example:3000/org", "org/x", "h.example:3000", "https://h.example:3000/org/x.git"},
        {"h.example/org", "org-evil/x", "", "forbidden"},
        {"h.example/org", "or/x", "", "forbidden"},
        {"h.example/org/x", "org/x-evil", "", "forbidden"},
        {"h.example/Org", "org/x", "", "forbidden"},
        {"h.example/org", "org/x", "h.example.evil", "forbidden"},
        {"h.example/org", "org/x", "evil-h.example", "forbidden"},
        {"h.example/org", "org/x", "h.example:8443", "forbidden"},
        {"h.example/org", "org/x", "http://h.example", "forbidden"},
        {"", "org/x", "", "forbidden"},
        {"*", "org/x", "", "forbidden"},
        {"h.example/org", "org/x", "h.example/org", "invalid"},
        {"h.example/org", "org/x", "user@h.example", "invalid"},
        {"h.example/org", "org/x", "file:///h.example", "invalid"},
        {"h.example/org", "org/x", "h.example?x", "invalid"},
        {"h.example/org", "org", "", "invalid"},
        {"h.example/org", "org/../x", "", "invalid"},
        {"h.example/org", "org/-x", "", "invalid"},
        {"h.example/org", "org/x%2f", "", "invalid"},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(fmt::format("{} {} {}", c.entry, c.repo, c.url));
        const ExternalRequest request{
            .repo = c.repo, .ref = "main", .path = "a.yaml", .url = c.url};
        EXPECT_EQ(verdict(request, {.host = "h.example", .allow = {c.entry}}), c.verdict);
    }
}

TEST(External, SettingsWithoutAMeaningAreRefused) {
    EXPECT_TRUE(check_external_policy({}));
    EXPECT_TRUE(check_external_policy({.host = "http://127.0.0.1:3000", .allow = {}}));
    EXPECT_FALSE(check_external_policy({.host = "h.example", .allow = {"*"}}));
    EXPECT_FALSE(check_external_policy({.host = "h.example", .allow = {"h.example/a/../b"}}));
}

TEST(External, Fault13_NoForeignHostIsTrustedByDefault) {
    const ExternalRequest plain{.repo = "acme/x", .ref = "main", .path = "a.yaml", .url = ""};
    ExternalRequest named = plain;
    named.url = "git.example.com";
    EXPECT_EQ(verdict(plain, {}), "forbidden");
    EXPECT_EQ(verdict(named, {}), "forbidden");
    EXPECT_EQ(verdict(plain, {.host = "git.example.com", .allow = {}}), "forbidden");
    EXPECT_EQ(verdict(named, {.host = "", .allow = {"git.example.com/acme"}}),
              "https://git.example.com/acme/x.git");
}

TEST(External, Scenario03_WhatIsRefusedCausesNoCall) {
    for (const char* external :
         {"{repo: foo/bar, ref: main, path: a.yaml, url: github.com}",
          "{repo: molecule-ai/x, ref: main, path: ../../etc/passwd}",
          "{repo: molecule-ai/x, ref: \"main; rm -rf /\", path: a.yaml}",
          "{repo: molecule-ai/x, ref: a..b, path: a.yaml}",
          "{repo: molecule-ai/x, ref: -upload-pack=x, path: a.yaml}",
          "{repo: molecule-ai-evil/x, ref: main, path: a.yaml}", "{ref: main, path: a.yaml}",
          "{repo: molecule-ai/x, path: a.yaml}", "{repo: molecule-ai/x, ref: main}"}) {
        SCOPED_TRACE(external);
        OrgWorld world;
        world.git.commit(research, tree({{"lead.yaml", "name: Lead\n"}}));
        // One that is in order, too: with an error in the template, nothing is fetched.
        world.make_inline_template(org_with(external) + "  - !external " + lead_of_research + "\n");
        world.turn();
        EXPECT_EQ(ready_of(world.read<crds::OrgTemplate>("dev")).substr(0, 14), "False External");
        EXPECT_TRUE(world.git.calls().empty());
    }
}

TEST(External, Scenario05_ACommitIsServedFromTheCacheAndARefIsLookedUp) {
    OrgWorld world;
    const std::string commit = world.git.commit(research, tree({{"lead.yaml", "name: Lead\n"}}));
    world.make_inline_template(
        org_with(fmt::format("{{repo: molecule-ai/research, ref: {}, path: lead.yaml}}", commit)));
    world.settle();
    EXPECT_EQ(ready_of(world.read<crds::OrgTemplate>("dev")), "True Compiled");
    for (const std::string& call : world.git.calls()) {
        EXPECT_TRUE(call.starts_with("fetch ")) << "a pinned commit needs no look at the refs";
    }
}

// A server that repeats the credential in what it answers.
class EchoingGit final : public drivers::Git {
  public:
    Result<std::vector<drivers::GitRef>> refs(const drivers::GitRemote& remote) override {
        return answer(remote);
    }
    Result<drivers::TreePtr> fetch(const drivers::GitRemote& remote, const std::string& /*commit*/,
                                   const std::string& /*path*/) override {
        return answer(remote);
    }
    Result<drivers::GitGaps> gaps(const drivers::GitRemote& remote, const std::string& /*commit*/,
                                  const std::string& /*path*/) override {
        return answer(remote);
    }
    Result<drivers::GitAuthor> author(const drivers::GitRemote& remote,
                                      const std::string& /*commit*/) override {
        return answer(remote);
    }
    std::map<std::string, std::string> sent;  // by URL: scheme and secret

  private:
    Error answer(const drivers::GitRemote& remote) {
        const std::string secret = remote.credential ? remote.credential->secret : "nothing";
        sent[remote.url] = remote.credential ? remote.credential->scheme + " " + secret : secret;
        return {Code::unauthenticated, fmt::format("git {}: bad credential {}", remote.url, secret),
                fmt::format("Authorization: token {0} {0}", secret)};
    }
};

TEST(External, Scenario06_ATokenGoesToItsOwnHostAndIsNeverShown) {
    const ExternalPolicy policy{.host = "git.own",
                                .allow = {"git.own", "git.other", "http://git.own", "git.source"}};
    const TemplateOrigin origin{
        nullptr,
        drivers::GitRemote{.url = "https://git.source/acme/org",
                           .credential = drivers::GitCredential{"user", "hunter2-source", ""},
                           .ca_pem = ""},
        "c0ffee",
        {}};
    EchoingGit git;
    const auto externals =
        externals_of(origin, git, {.policy = policy, .token = "hunter2-operator"});
    const char* hosts[] = {"", "git.other", "http://git.own", "git.source", "https://git.own:8443"};
    for (const char* host : hosts) {
        const auto target =
            externals->check({.repo = "acme/x", .ref = "main", .path = "a.yaml", .url = host});
        if (!target) continue;
        const auto opened = externals->open(*target);
        ASSERT_TRUE(opened);
        EXPECT_EQ(*opened, nullptr);
    }
    ASSERT_TRUE(externals->fetch_pending());
    EXPECT_EQ(git.sent["https://git.own/acme/x.git"], "token hunter2-operator");
    EXPECT_EQ(git.sent["https://git.source/acme/x.git"], " hunter2-source");
    EXPECT_EQ(git.sent["https://git.other/acme/x.git"], "nothing");
    EXPECT_EQ(git.sent["http://git.own/acme/x.git"], "nothing");
    EXPECT_EQ(git.sent.size(), 4u);
    for (const char* host : {"", "git.source"}) {
        const auto target =
            externals->check({.repo = "acme/x", .ref = "main", .path = "a.yaml", .url = host});
        const auto failed = externals->open(*target);
        ASSERT_FALSE(failed);
        EXPECT_EQ(failed.error().code, Code::unauthenticated);
        EXPECT_EQ((failed.error().message + failed.error().detail).find("hunter2"),
                  std::string::npos);
        EXPECT_NE(failed.error().detail.find("[redacted]"), std::string::npos);
    }
}

// Scenario 7: nothing of where it was fetched from is in the result, however often it is resolved.
TEST(External, Scenario07_ASubtreeIsTheSameHereAndInAnotherRepository) {
    const std::string lead = "name: Lead\nfiles_dir: lead\nchildren:\n  - !include be/w.yaml\n";
    const std::map<std::string, std::string> files = {{"lead.yaml", lead},
                                                      {"lead/notes.md", "notes\n"},
                                                      {"be/w.yaml", "{name: BE, files_dir: be}\n"}};
    std::string artifacts[2];
    {
        OrgWorld world;
        auto all = files;
        all["org.yaml"] =
            "name: Dev\nworkspaces:\n  - {name: PM, children: [!include lead.yaml]}\n";
        world.push(all);
        world.make_git_template();
        world.settle();
        artifacts[0] = world.read<crds::OrgTemplate>("dev").status.artifact_digest;
    }
    {
        OrgWorld world;
        world.git.commit(research, tree(files));
        world.push({{"org.yaml", org_with(lead_of_research)}});
        world.make_git_template();
        world.settle();
        const auto first = world.read<crds::OrgTemplate>("dev").status;
        artifacts[1] = first.artifact_digest;
        world.settle();
        EXPECT_EQ(world.read<crds::OrgTemplate>("dev").status.artifact_digest, artifacts[1]);
        world.make_org();
        world.settle();
        EXPECT_EQ(world.workspaces(), "acme-be<acme-lead acme-lead<acme-pm acme-pm");
        const auto workspace = world.read<crds::Workspace>("acme-lead");
        ASSERT_EQ(workspace.spec.files.size(), 2u);
        const auto& file = workspace.spec.files[1];
        EXPECT_EQ(*world.trees.read(file.artifact->digest, "notes.md"), "notes\n");
    }
    EXPECT_FALSE(artifacts[0].empty());
    EXPECT_EQ(artifacts[0], artifacts[1]);
}

TEST(External, ABranchThatMovesIsFollowed) {
    OrgWorld world;
    const std::string first = world.git.commit(research, tree({{"lead.yaml", "name: Lead\n"}}));
    world.push({{"org.yaml", org_with(lead_of_research)}});
    world.make_git_template();
    world.make_org();
    world.settle();
    auto status = world.read<crds::OrgTemplate>("dev").status;
    ASSERT_EQ(status.externals.size(), 1u);
    EXPECT_EQ(status.externals[0].url, research);
    EXPECT_EQ(status.externals[0].ref, "main");
    EXPECT_EQ(status.externals[0].commit, first);

    const std::string second =
        world.git.commit(research, tree({{"lead.yaml", "{name: Lead, role: leads}\n"}}));
    world.settle();
    EXPECT_EQ(world.read<crds::OrgTemplate>("dev").status.externals[0].commit, second);
    EXPECT_EQ(world.read<crds::Workspace>("acme-lead").spec.role, "leads");
}

TEST(External, ARepositoryThatIsAwayDeletesNothingAndIsTriedAgain) {
    OrgWorld world;
    world.git.commit(research, tree({{"lead.yaml", "name: Lead\n"}}));
    world.make_inline_template(org_with(lead_of_research));
    world.make_org();
    world.settle();
    const auto good = world.read<crds::OrgTemplate>("dev").status;
    EXPECT_EQ(world.workspaces(), "acme-lead<acme-pm acme-pm");

    world.git.set_away(true);
    EXPECT_FALSE(world.reconcile_template()) << "tried again with backoff";
    ASSERT_TRUE(world.reconcile_org());
    auto object = world.read<crds::OrgTemplate>("dev");
    EXPECT_EQ(ready_of(object), "False ExternalFetchFailed");
    EXPECT_FALSE(object.status.is_true("SourceReady"));
    EXPECT_TRUE(object.status.is_true("Reconciling"));
    EXPECT_EQ(object.status.artifact_digest, good.artifact_digest);
    EXPECT_EQ(object.status.find("Ready")->message,
              "org.yaml:5:9: !external molecule-ai/research@main: the git server is away");
    EXPECT_EQ(world.workspaces(), "acme-lead<acme-pm acme-pm");

    world.git.set_away(false);
    world.settle();
    EXPECT_EQ(ready_of(world.read<crds::OrgTemplate>("dev")), "True Compiled");

    world.git.remove_ref(research, "refs/heads/main");
    EXPECT_TRUE(world.reconcile_template()) << "waits for its interval";
    object = world.read<crds::OrgTemplate>("dev");
    EXPECT_EQ(ready_of(object), "False ExternalNotFound");
    EXPECT_EQ(object.status.artifact_digest, good.artifact_digest);
    EXPECT_EQ(world.workspaces(), "acme-lead<acme-pm acme-pm");
}

TEST(External, SeveralAreFetchedAtOnce) {
    OrgWorld world;
    std::string yaml = "name: Dev\nworkspaces:\n";
    constexpr int count = 4;
    for (int i = 0; i < count; ++i) {
        world.git.commit(fmt::format("https://git.moleculesai.app/molecule-ai/r{}.git", i),
                         tree({{"w.yaml", fmt::format("name: W{}\n", i)}}));
        yaml +=
            fmt::format("  - !external {{repo: molecule-ai/r{}, ref: main, path: w.yaml}}\n", i);
    }
    std::mutex mutex;
    std::condition_variable all_here;
    int here = 0;
    bool met = true;
    world.git.on_call([&](std::string_view call, fakes::When when) {
        if (call != "refs" || when != fakes::When::before) return;
        std::unique_lock lock(mutex);
        ++here;
        all_here.notify_all();
        // The bound ends a test that fails; one that passes does not wait.
        met =
            all_here.wait_for(lock, std::chrono::seconds(60), [&] { return here >= count; }) && met;
    });
    world.make_inline_template(yaml);
    ASSERT_TRUE(world.reconcile_template());
    EXPECT_TRUE(met);
    EXPECT_EQ(world.read<crds::OrgTemplate>("dev").status.counts.spawning, count);
}

TEST(External, TooManyRepositoriesAreRefused) {
    OrgWorld world;
    std::string yaml = "name: Dev\nworkspaces:\n";
    for (int i = 0; i < 65; ++i) {
        yaml +=
            fmt::format("  - !external {{repo: molecule-ai/r{}, ref: main, path: w.yaml}}\n", i);
    }
    world.make_inline_template(yaml);
    world.turn();
    EXPECT_EQ(ready_of(world.read<crds::OrgTemplate>("dev")), "False ExternalTooLarge");
    EXPECT_TRUE(world.git.calls().empty());
}

TEST(External, TheSumOfAllRepositoriesIsBounded) {
    fakes::FakeGit git;
    git.commit("https://h.example/o/a.git", tree({{"a.yaml", std::string(600, 'a')}}));
    git.commit("https://h.example/o/b.git", tree({{"a.yaml", std::string(600, 'b')}}));
    const auto externals = external_repositories(git, {.host = "h.example", .allow = {"h.example"}},
                                                 {}, {.bytes = 1000});
    const auto target = [&](const char* repo) {
        return *externals->check({.repo = repo, .ref = "main", .path = "a.yaml", .url = ""});
    };
    for (const char* repo : {"o/a", "o/b"}) ASSERT_TRUE(externals->open(target(repo)));
    ASSERT_TRUE(externals->fetch_pending());
    EXPECT_FALSE(externals->fetch_pending());
    EXPECT_TRUE(externals->open(target("o/a")));
    EXPECT_EQ(externals->open(target("o/b")).error().code, Code::too_large);
    EXPECT_EQ(externals->fetched().size(), 1u);
}

}  // namespace
}  // namespace atelier::reconcilers
