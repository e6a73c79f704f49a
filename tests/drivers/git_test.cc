// The git driver against `git http-backend`.
#include "drivers/git/git.h"

#include <gtest/gtest.h>

#include <fstream>
#include <thread>

#include "drivers/git/cache.h"
#include "drivers/git/protocol.h"
#include "tests/support/process.h"

namespace atelier::drivers {
namespace {

namespace fs = std::filesystem;
using support::GitServer;
using support::Repository;
using support::TemporaryDirectory;

class GitOverHttp : public testing::Test {
  protected:
    std::unique_ptr<Git> open(const GitLimits& limits = {}) {
        GitOptions options;
        options.limits = limits;
        auto git = open_git(directory_.path() / "cache", options, clock_, Log());
        CHECK(git);
        return *std::move(git);
    }
    GitRemote remote() const { return {server_.url("repo.git"), {}, {}}; }

    // What the fetch gives, as text: "path=bytes", '!' executable, "->" a link; or the error's
    // code.
    std::string text(const Result<TreePtr>& tree) {
        if (!tree) return std::string(name_of(tree.error().code));
        std::string out;
        for (const auto& [path, file] : **tree) {
            out += (out.empty() ? "" : ", ") + path + (file.executable ? "!" : "") +
                   (file.kind == File::Kind::symlink ? "->" : "=") + file.bytes;
        }
        return out;
    }
    std::string text(const Result<GitRef>& ref) {
        return ref ? ref->name + " " + ref->commit : std::string(name_of(ref.error().code));
    }
    std::size_t requests() { return server_.requests().size(); }

    SystemClock clock_;
    TemporaryDirectory directory_;
    Repository repository_{directory_.path() / "repo.git"};
    GitServer server_{directory_.path()};
};

TEST_F(GitOverHttp, ListsHeadBranchesAndPeeledTags) {
    const std::string first = repository_.commit({{"a", "1"}});
    repository_.git({"tag", "light"});
    repository_.git({"tag", "-a", "-m", "x", "v1.0.0"});
    const std::string second = repository_.commit({{"a", "2"}});
    repository_.git({"branch", "feature/x", first});
    repository_.git({"update-ref", "refs/pull/1/head", first});

    const auto refs = open()->refs(remote());
    ASSERT_TRUE(refs) << refs.error().message << refs.error().detail;
    EXPECT_EQ(text(resolve_ref(*refs, "")), "HEAD " + second);
    EXPECT_EQ(text(resolve_ref(*refs, "main")), "refs/heads/main " + second);
    EXPECT_EQ(text(resolve_ref(*refs, "feature/x")), "refs/heads/feature/x " + first);
    EXPECT_EQ(text(resolve_ref(*refs, "v1.0.0")), "refs/tags/v1.0.0 " + first);
    EXPECT_EQ(text(resolve_ref(*refs, "light")), "refs/tags/light " + first);
    EXPECT_EQ(refs->size(), 5u);
    EXPECT_EQ(text(resolve_ref(*refs, "nope")), "not found");
}

TEST_F(GitOverHttp, FetchesTheFilesOfACommit) {
    const std::string commit = repository_.commit({{"plugin.yaml", "name: x\n"},
                                                   {"hooks/pre!", "#!/bin/sh\n"},
                                                   {"sub/deep/file", std::string("a\0b", 3)},
                                                   {"link", "->../../etc/passwd"}});
    const auto git = open();
    const auto all = git->fetch(remote(), commit, "");
    EXPECT_EQ(text(all), std::string("hooks/pre!=#!/bin/sh\n, link->../../etc/passwd, "
                                     "plugin.yaml=name: x\n, sub/deep/file=a\0b",
                                     86))
        << (all ? "" : all.error().message + all.error().detail);
    EXPECT_EQ(text(git->fetch(remote(), commit, "hooks")), "pre!=#!/bin/sh\n");
    EXPECT_EQ(text(git->fetch(remote(), commit, "sub/deep/")), std::string("file=a\0b", 8));
    EXPECT_EQ(text(git->fetch(remote(), commit, "none")), "not found");
    EXPECT_EQ(text(git->fetch(remote(), commit, "plugin.yaml")), "not found");
    for (const char* path : {"../x", "/etc", "a//b", ".git"}) {
        EXPECT_EQ(text(git->fetch(remote(), commit, path)), "invalid") << path;
    }
}

TEST_F(GitOverHttp, Scenario32FetchesACommitThatIsNoTip) {
    const std::string old = repository_.commit({{"a", "1"}});
    repository_.commit({{"a", "2"}});
    repository_.commit({{"a", "3"}});
    EXPECT_EQ(text(open()->fetch(remote(), old, "")), "a=1");
}

TEST_F(GitOverHttp, FetchesWithVersion0Too) {
    const std::string old = repository_.commit({{"a", "1"}});
    const std::string tip = repository_.commit({{"a", "2"}});
    repository_.git({"tag", "-a", "-m", "x", "v1"});
    const GitServer server(directory_.path(), "", true);
    const GitRemote remote{server.url("repo.git"), {}, {}};
    const auto git = open();
    const auto refs = git->refs(remote);
    ASSERT_TRUE(refs);
    EXPECT_EQ(text(resolve_ref(*refs, "v1")), "refs/tags/v1 " + tip);
    EXPECT_EQ(refs->size(), 3u);
    EXPECT_EQ(text(git->fetch(remote, tip, "")), "a=2");
    EXPECT_EQ(text(git->fetch(remote, old, "")), "a=1");  // by way of all tips
    EXPECT_EQ(text(git->fetch(remote, std::string(40, 'a'), "")), "not found");
}

TEST_F(GitOverHttp, Scenario05ACommitOnceFetchedNeedsNoServer) {
    const std::string commit = repository_.commit({{"a", "1"}});
    EXPECT_EQ(text(open()->fetch(remote(), commit, "")), "a=1");
    const std::size_t before = requests();
    EXPECT_EQ(text(open()->fetch(remote(), commit, "")), "a=1");
    EXPECT_EQ(requests(), before);
}

// Each look at a commit that is gone fetched the history of all others.
TEST_F(GitOverHttp, Fault23_ACommitThatIsGoneDoesNotCostTheHistory) {
    repository_.commit({{"a", "1"}});
    const std::string gone(40, 'a');
    const auto git = open();
    EXPECT_EQ(text(git->fetch(remote(), gone, "")), "not found");
    EXPECT_EQ(requests(), 2U) << "the refs, and the commit itself";

    const GitServer old(directory_.path(), "", true);
    const GitRemote remote{old.url("repo.git"), {}, {}};
    const std::size_t before = old.requests().size();  // both servers write one log
    EXPECT_EQ(text(git->fetch(remote, gone, "")), "not found");
    const std::size_t first = old.requests().size();
    EXPECT_EQ(first - before, 2U)
        << "the refs, and the history, for this server cannot be asked for one";
    EXPECT_EQ(text(git->fetch(remote, gone, "")), "not found");
    EXPECT_EQ(old.requests().size(), first + 1) << "the refs are those of the last time";
    repository_.commit({{"a", "2"}});
    EXPECT_EQ(text(git->fetch(remote, gone, "")), "not found");
    EXPECT_EQ(old.requests().size(), first + 3) << "the repository has moved";
}

TEST_F(GitOverHttp, Fault10_CachesThatAreTooLargeGoByTheirLastUse) {
    Repository other(directory_.path() / "other.git");
    const std::string a = repository_.commit({{"a", "1"}});
    const std::string b = other.commit({{"b", "2"}});
    GitLimits limits;
    limits.all_caches_bytes = 1;
    const auto git = open(limits);
    EXPECT_EQ(text(git->fetch(remote(), a, "")), "a=1");
    EXPECT_EQ(text(git->fetch({server_.url("other.git"), {}, {}}, b, "")), "b=2");
    EXPECT_EQ(used_caches(directory_.path() / "cache").size(), 1U);
    EXPECT_EQ(text(git->fetch(remote(), a, "")), "a=1") << "it is fetched again";
}

TEST(GitCaches, Fault10_TheLongestUnusedGoFirst) {
    const Instant now{std::chrono::hours(24 * 365)};
    const auto ago = [&](int hours) { return now - std::chrono::hours(hours); };
    GitLimits limits;
    limits.all_caches_bytes = 100;
    limits.cache_unused = std::chrono::hours(48);
    using Names = std::vector<std::string>;
    EXPECT_EQ(caches_to_remove({{"a", ago(1), 50}, {"b", ago(2), 50}}, limits, now), Names{});
    EXPECT_EQ(
        caches_to_remove({{"a", ago(1), 50}, {"b", ago(3), 50}, {"c", ago(2), 1}}, limits, now),
        Names{"b"});
    EXPECT_EQ(caches_to_remove({{"a", ago(49), 1}, {"b", ago(47), 1}}, limits, now), Names{"a"});
    EXPECT_EQ(caches_to_remove({{"a", ago(1), 500}}, limits, now), Names{"a"});
}

TEST(GitProtocol, Fault23_OnlyAnAdvertisedObjectFormatIsNamed) {
    git_protocol::Advertisement server;
    server.version = 2;
    const std::vector<std::string> wants{std::string(40, 'a')};
    EXPECT_EQ(git_protocol::ls_refs_request(server).find("object-format"), std::string::npos);
    EXPECT_EQ(git_protocol::fetch_request(server, wants, true).find("object-format"),
              std::string::npos);
    server.object_format = true;
    EXPECT_NE(git_protocol::ls_refs_request(server).find("object-format=sha1"), std::string::npos);
    EXPECT_NE(git_protocol::fetch_request(server, wants, true).find("object-format=sha1"),
              std::string::npos);
}

TEST_F(GitOverHttp, SaysWhatIsMissing) {
    const auto git = open();
    auto empty = git->refs(remote());
    ASSERT_TRUE(empty) << empty.error().message;
    EXPECT_EQ(text(resolve_ref(*empty, "")), "not found");
    repository_.commit({{"a", "1"}});

    const auto missing = git->refs({server_.url("nope.git"), {}, {}});
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().code, Code::not_found);
    EXPECT_EQ(missing.error().message, "git " + server_.url("nope.git") +
                                           ": there is no such repository, or it may not be seen");
    const auto commit = git->fetch(remote(), std::string(40, 'a'), "");
    ASSERT_FALSE(commit);
    EXPECT_EQ(commit.error().code, Code::not_found);
    EXPECT_EQ(text(git->fetch(remote(), "main", "")), "invalid");
}

TEST_F(GitOverHttp, Scenario05HealsADamagedCache) {
    const std::string commit = repository_.commit({{"a", "1"}, {"b/c", "2"}});
    const auto git = open();
    const auto damage = [&](const std::function<void(const fs::path&)>& harm) {
        EXPECT_EQ(text(git->fetch(remote(), commit, "")), "a=1, b/c=2");
        std::vector<fs::path> files;
        for (const auto& entry : fs::recursive_directory_iterator(directory_.path() / "cache")) {
            files.push_back(entry.path());
        }
        for (const fs::path& file : files) harm(file);
        EXPECT_EQ(text(git->fetch(remote(), commit, "")), "a=1, b/c=2");
    };
    damage([](const fs::path& f) {
        if (f.extension() == ".pack") fs::remove(f);
    });
    damage([](const fs::path& f) {
        if (f.extension() == ".idx") fs::resize_file(f, 10);
    });
    damage([](const fs::path& f) {
        if (f.filename() == "HEAD") fs::remove(f);
    });
    damage([](const fs::path& f) {
        if (f.extension() == ".pack") {
            fs::permissions(f, fs::perms::owner_all);
            std::fstream(f, std::ios::in | std::ios::out | std::ios::binary).seekp(20)
                << "????????";
        }
    });
    // A crash before the marker: what lies there already does no harm.
    damage([](const fs::path& f) {
        if (f.parent_path().filename() == "complete") fs::remove(f);
        if (f.filename() == "pack") std::ofstream(f / "pack_git2_half") << "PACK";
    });
}

TEST_F(GitOverHttp, HoldsItsLimits) {
    std::vector<std::pair<std::string, std::string>> files;
    for (int i = 0; i < 30; ++i) files.emplace_back("f" + std::to_string(i), std::to_string(i));
    std::string noise;
    for (std::uint32_t i = 0, x = 1; i < 300'000; ++i) {
        x = x * 1664525 + 1013904223;
        noise += static_cast<char>(x >> 24);
    }
    const std::string many = repository_.commit(files);
    const std::string large = repository_.commit({{"noise", noise}});
    const std::string zeros = repository_.commit({{"zeros", std::string(5'000'000, '0')}});
    GitLimits limits;
    limits.files = 20;
    limits.bytes = 100'000;
    EXPECT_EQ(text(open(limits)->fetch(remote(), many, "")), "too large");
    EXPECT_EQ(text(open(limits)->fetch(remote(), large, "")), "too large");
    // Small on the wire, large when unpacked.
    EXPECT_EQ(text(open(limits)->fetch(remote(), zeros, "")), "too large");
    limits.files = 30;
    EXPECT_NE(text(open(limits)->fetch(remote(), many, "")), "too large");
}

TEST_F(GitOverHttp, LeavesSubmodulesOut) {
    repository_.commit({{"a", "1"}});
    const std::string tree = repository_.git(
        {"mktree"}, "100644 blob " + repository_.git({"rev-parse", "main:a"}) + "\ta\n" +
                        "160000 commit " + std::string(40, '1') + "\tmodule\n");
    const std::string commit = repository_.git({"commit-tree", "-m", "x", tree});
    repository_.git({"update-ref", "refs/heads/main", commit});
    const auto git = open();
    EXPECT_EQ(git->gaps(remote(), commit, "").error().code, Code::not_found) << "it asks no server";
    EXPECT_EQ(text(git->fetch(remote(), commit, "")), "a=1");
    EXPECT_EQ(git->gaps(remote(), commit, "")->submodules, std::vector<std::string>{"module"});
}

// What was told of such a commit was "the content is whole".
TEST_F(GitOverHttp, Fault26_FilesOfGitLfsAreGaps) {
    const std::string pointer =
        "version https://git-lfs.github.com/spec/v1\noid sha256:" + std::string(64, '7') +
        "\nsize 123456\n";
    const std::string commit =
        repository_.commit({{"skills/model.bin", pointer}, {"read", "of git-lfs.github.com/spec"}});
    const auto git = open();
    ASSERT_TRUE(git->fetch(remote(), commit, ""));
    EXPECT_EQ(git->gaps(remote(), commit, "")->lfs_pointers,
              std::vector<std::string>{"skills/model.bin"});
    EXPECT_EQ(git->gaps(remote(), commit, "skills/")->lfs_pointers,
              std::vector<std::string>{"model.bin"});
}

TEST_F(GitOverHttp, RefusesATreeWithUnsafeNames) {
    repository_.commit({{"a", "1"}});
    const std::string blob = repository_.git({"rev-parse", "main:a"});
    for (const char* name : {"..", ".git", "a\\b"}) {
        SCOPED_TRACE(name);
        std::string raw = std::string("100644 ") + name + '\0';
        for (std::size_t i = 0; i < blob.size(); i += 2) {
            raw += static_cast<char>(std::stoi(blob.substr(i, 2), nullptr, 16));
        }
        const std::string tree =
            repository_.git({"hash-object", "--literally", "-t", "tree", "-w", "--stdin"}, raw);
        const std::string commit = repository_.git({"commit-tree", "-m", "x", tree});
        repository_.git({"update-ref", "refs/heads/bad", commit});
        EXPECT_EQ(text(open()->fetch(remote(), commit, "")), "invalid");
    }
}

TEST_F(GitOverHttp, AHundredThousandRefs) {
    const std::string commit = repository_.commit({{"a", "1"}});
    // Written as git packs them: a hundred thousand files would take a minute.
    std::ofstream packed(repository_.path() / "packed-refs");
    packed << "# pack-refs with: peeled fully-peeled sorted \n";
    for (int i = 100'000; i < 200'000; ++i) packed << commit << " refs/tags/t" << i << "\n";
    packed.close();
    const auto refs = open()->refs(remote());
    ASSERT_TRUE(refs) << refs.error().message;
    EXPECT_EQ(refs->size(), 100'002u);
    EXPECT_EQ(text(resolve_ref(*refs, "t199999")), "refs/tags/t199999 " + commit);
}

TEST_F(GitOverHttp, ManyAtOnce) {
    std::vector<std::string> commits;
    for (int i = 0; i < 4; ++i) commits.push_back(repository_.commit({{"a", std::to_string(i)}}));
    const auto git = open();
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < 8; ++i) {
        threads.emplace_back([&, i] {
            for (std::size_t j = 0; j < 4; ++j) {
                const std::size_t n = (i + j) % 4;
                EXPECT_EQ(text(git->fetch(remote(), commits[n], "")), "a=" + std::to_string(n));
                EXPECT_TRUE(git->refs(remote()));
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
}

class GitWithToken : public testing::Test {
  protected:
    static constexpr const char* token = "s3cret-T0ken-value";
    Result<std::vector<GitRef>> refs(const std::optional<GitCredential>& credential) {
        return git_->refs({server_.url("repo.git"), credential, {}});
    }
    SystemClock clock_;
    TemporaryDirectory directory_;
    Repository repository_{directory_.path() / "served" / "repo.git"};
    GitServer server_{directory_.path() / "served", token};
    std::unique_ptr<Git> git_ = [this] {
        auto git = open_git(directory_.path() / "cache", {}, clock_, Log());
        CHECK(git);
        return *std::move(git);
    }();
};

TEST_F(GitWithToken, TakesEveryFormOfCredential) {
    const std::string commit = repository_.commit({{"a", "1"}});
    const GitCredential good[] = {{"", token, ""},
                                  {"", token, "token"},
                                  {"user", token, ""},
                                  {"", std::string(token) + "\n", ""}};
    for (const GitCredential& credential : good) {
        const auto listed = refs(credential);
        ASSERT_TRUE(listed) << listed.error().message;
        EXPECT_TRUE(git_->fetch({server_.url("repo.git"), credential, {}}, commit, ""));
    }
}

TEST_F(GitWithToken, SaysThatTheCredentialIsMissingOrWrongAndNeverShowsIt) {
    const auto none = refs(std::nullopt);
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().code, Code::unauthenticated);
    const auto wrong = refs(GitCredential{"user", "wrong-secret", ""});
    ASSERT_FALSE(wrong);
    EXPECT_EQ(wrong.error().code, Code::unauthenticated);
    EXPECT_EQ((wrong.error().message + wrong.error().detail).find("wrong-secret"),
              std::string::npos);
    for (const char* secret : {"", "two\nlines", "a\r\nX-Evil: 1"}) {
        const auto bad = refs(GitCredential{"", secret, ""});
        ASSERT_FALSE(bad);
        EXPECT_EQ(bad.error().code, Code::invalid);
    }
}

TEST_F(GitWithToken, Scenario06TheTokenIsNeverOnDisk) {
    const std::string commit = repository_.commit({{"a", "1"}});
    const GitRemote remote{server_.url("repo.git"), GitCredential{"", token, ""}, {}};
    ASSERT_TRUE(git_->refs(remote));
    ASSERT_TRUE(git_->fetch(remote, commit, ""));
    std::size_t files = 0;
    for (const auto& entry : fs::recursive_directory_iterator(directory_.path() / "cache")) {
        EXPECT_EQ(entry.path().string().find(token), std::string::npos);
        if (!entry.is_regular_file()) continue;
        ++files;
        std::ifstream in(entry.path(), std::ios::binary);
        const std::string bytes(std::istreambuf_iterator<char>(in), {});
        EXPECT_EQ(bytes.find(token), std::string::npos) << entry.path();
    }
    EXPECT_GT(files, 3u);
}

TEST_F(GitWithToken, WhatOneCredentialFetchedIsNotGivenToOthers) {
    const std::string commit = repository_.commit({{"a", "1"}});
    const std::string url = server_.url("repo.git");
    ASSERT_TRUE(git_->fetch({url, GitCredential{"", token, ""}, {}}, commit, ""));
    const auto other = git_->fetch({url, {}, {}}, commit, "");
    ASSERT_FALSE(other);
    EXPECT_EQ(other.error().code, Code::unauthenticated);
}

}  // namespace
}  // namespace atelier::drivers
