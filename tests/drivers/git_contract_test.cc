// What holds for every Git: the real one over `git http-backend`, and the one in memory.
#include <gtest/gtest.h>

#include "tests/fakes/fake_git.h"
#include "tests/support/process.h"

namespace atelier::drivers {
namespace {

// A remote with somebody who pushes to it.
class World {
  public:
    virtual ~World() = default;
    virtual Git& git() = 0;
    virtual std::string url() = 0;
    virtual std::string commit(const Tree& tree) = 0;  // on branch main
    virtual void tag(const std::string& name, const std::string& commit) = 0;
};

class RealWorld final : public World {
  public:
    Git& git() override { return *git_; }
    std::string url() override { return server_.url("repo.git"); }
    std::string commit(const Tree& tree) override {
        std::vector<std::pair<std::string, std::string>> files;
        for (const auto& [path, file] : tree) {
            const bool link = file.kind == File::Kind::symlink;
            files.emplace_back(path + (file.executable ? "!" : ""),
                               (link ? "->" : "") + file.bytes);
        }
        return repository_.commit(files);
    }
    void tag(const std::string& name, const std::string& commit) override {
        repository_.git({"tag", "-f", "-a", "-m", "x", name, commit});
    }

  private:
    SystemClock clock_;
    support::TemporaryDirectory directory_;
    support::Repository repository_{directory_.path() / "repo.git"};
    support::GitServer server_{directory_.path()};
    std::unique_ptr<Git> git_ = [this] {
        auto git = open_git(directory_.path() / "cache", {}, clock_, Log());
        CHECK(git);
        return *std::move(git);
    }();
};

class FakeWorld final : public World {
  public:
    Git& git() override { return git_; }
    std::string url() override { return "http://git.example/repo.git"; }
    std::string commit(const Tree& tree) override { return git_.commit(url(), tree); }
    void tag(const std::string& name, const std::string& commit) override {
        git_.tag(url(), name, commit);
    }

  private:
    fakes::FakeGit git_;
};

class GitContract : public testing::TestWithParam<bool> {
  protected:
    std::unique_ptr<World> world_ =
        GetParam() ? std::unique_ptr<World>(new RealWorld) : std::unique_ptr<World>(new FakeWorld);
    Git& git() { return world_->git(); }
    GitRemote remote() { return {world_->url(), {}, {}}; }
    Code code_of_fetch(const std::string& commit, const std::string& path) {
        const auto tree = git().fetch(remote(), commit, path);
        EXPECT_FALSE(tree);
        return tree ? Code::internal : tree.error().code;
    }
};

INSTANTIATE_TEST_SUITE_P(Gits, GitContract, testing::Bool(),
                         [](const auto& git) { return git.param ? "Http" : "Fake"; });

TEST_P(GitContract, ListsWhatWasPushed) {
    const std::string first = world_->commit({{"a", {}}});
    world_->tag("v1", first);
    const std::string second = world_->commit({{"b", {}}});
    auto refs = git().refs(remote());
    ASSERT_TRUE(refs) << refs.error().message;
    EXPECT_EQ(refs->size(), 3u);
    EXPECT_EQ(resolve_ref(*refs, "")->commit, second);
    EXPECT_EQ(resolve_ref(*refs, "main")->commit, second);
    EXPECT_EQ(resolve_ref(*refs, "v1")->commit, first);
    world_->tag("v1", second);  // moved
    refs = git().refs(remote());
    ASSERT_TRUE(refs);
    EXPECT_EQ(resolve_ref(*refs, "v1")->commit, second);
}

TEST_P(GitContract, FetchesAnyCommitAsItWas) {
    Tree tree;
    tree["a"].bytes = "1";
    tree["run"] = {File::Kind::regular, true, "#!/bin/sh\n"};
    tree["deep/er/link"] = {File::Kind::symlink, false, "../../a"};
    const std::string first = world_->commit(tree);
    tree["a"].bytes = "2";
    world_->commit(tree);
    const auto all = git().fetch(remote(), first, "");
    ASSERT_TRUE(all) << all.error().message;
    EXPECT_EQ((*all)->size(), 3u);
    EXPECT_EQ((*all)->at("a").bytes, "1");
    EXPECT_TRUE((*all)->at("run").executable);
    EXPECT_EQ((*all)->at("deep/er/link").kind, File::Kind::symlink);
    EXPECT_EQ((*all)->at("deep/er/link").bytes, "../../a");
    const auto below = git().fetch(remote(), first, "deep");
    ASSERT_TRUE(below);
    EXPECT_EQ((*below)->begin()->first, "er/link");
}

TEST_P(GitContract, KnowsWhoWroteWhatWasFetched) {
    const std::string commit = world_->commit({{"a", {}}});
    const auto before = git().author(remote(), commit);
    ASSERT_FALSE(before);
    EXPECT_EQ(before.error().code, Code::not_found) << "no server is asked";
    ASSERT_TRUE(git().fetch(remote(), commit, ""));
    const auto author = git().author(remote(), commit);
    ASSERT_TRUE(author) << author.error().message;
    EXPECT_EQ(*author, (GitAuthor{"t", "change"}));
    EXPECT_FALSE(git().author(remote(), std::string(40, 'a')));
}

TEST_P(GitContract, SaysWhatIsWrong) {
    const std::string commit = world_->commit({{"a", {}}});
    EXPECT_EQ(code_of_fetch(std::string(40, 'a'), ""), Code::not_found);
    EXPECT_EQ(code_of_fetch("main", ""), Code::invalid);
    EXPECT_EQ(code_of_fetch(commit, "none"), Code::not_found);
    GitRemote other = remote();
    other.url.insert(other.url.size() - 4, "x");
    EXPECT_EQ(git().refs(other).error().code, Code::not_found);
    EXPECT_EQ(git().refs({"ssh://h/x", {}, {}}).error().code, Code::invalid);
}

}  // namespace
}  // namespace atelier::drivers
