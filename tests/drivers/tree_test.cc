#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <functional>
#include <thread>

#include "base/file.h"
#include "drivers/trees/read_tree.h"
#include "drivers/trees/tree_store.h"
#include "tests/fakes/memory_tree_store.h"

namespace atelier::drivers {
namespace {

namespace fs = std::filesystem;

class TemporaryDirectory {
  public:
    TemporaryDirectory() {
        std::string pattern = (fs::temp_directory_path() / "atelier-tree-XXXXXX").string();
        path_ = mkdtemp(pattern.data());
    }
    ~TemporaryDirectory() { fs::remove_all(path_); }
    const fs::path& path() const { return path_; }

  private:
    fs::path path_;
};

Tree sample() {
    return {{"plugin.yaml", {File::Kind::regular, false, "name: x\n"}},
            {"hooks/pre-commit.sh", {File::Kind::regular, true, "#!/bin/sh\n"}},
            {"skills/review/SKILL.md", {File::Kind::regular, false, std::string("a\0b", 3)}},
            {"empty", {}}};
}

TEST(Tree, HasADigestThatDependsOnPathModeAndBytesOnly) {
    const std::string digest = digest_of(manifest_of(sample()));
    EXPECT_EQ(digest.size(), 64u);
    EXPECT_EQ(digest, digest_of(manifest_of(sample())));

    Tree other = sample();
    other["empty"].executable = true;
    EXPECT_NE(digest, digest_of(manifest_of(other)));
    other = sample();
    other["empty"].bytes = " ";
    EXPECT_NE(digest, digest_of(manifest_of(other)));
    other = sample();
    other["empty2"] = other.extract("empty").mapped();
    EXPECT_NE(digest, digest_of(manifest_of(other)));
}

TEST(Tree, SubtreeIsAFolderAsATreeOfItsOwn) {
    const Tree tree = {{"a", {}}, {"p/x", {}}, {"p/y/z", {}}, {"p.txt", {}}, {"pq/x", {}}};
    const auto names = [](const Tree& t) {
        std::string out;
        for (const auto& [path, file] : t) out += path + " ";
        return out;
    };
    EXPECT_EQ(names(subtree(tree, "p")), "x y/z ");
    EXPECT_EQ(names(subtree(tree, "p/")), "x y/z ");
    EXPECT_EQ(names(subtree(tree, "p/y")), "z ");
    EXPECT_EQ(names(subtree(tree, "")), "a p.txt p/x p/y/z pq/x ");
    EXPECT_EQ(names(subtree(tree, "a")), "");
    EXPECT_EQ(names(subtree(tree, "none")), "");
}

TEST(Tree, RefusesUnsafePaths) {
    const std::string long_name(256, 'x');
    std::string long_path = "a";
    while (long_path.size() <= 1024) long_path += "/aaaaaaaa";
    const std::string refused[] = {
        "",          "/etc/passwd",         "../x", "a/../b", "a//b",    "./a",     "a/.",
        ".git/HEAD", "x/.GIT/hooks",        "a\nb", "a\\b",   long_name, long_path, "a\xff",
        "a/",        std::string("a\0b", 3)};
    for (const std::string& path : refused) {
        SCOPED_TRACE(path);
        const auto checked = check_tree_path(path);
        ASSERT_FALSE(checked);
        EXPECT_EQ(checked.error().code, Code::invalid);
    }
    for (const char* path : {"a", ".env", "a/b.c/d", ".gitignore", "a b", "ä/ü", "...", "-x"}) {
        SCOPED_TRACE(path);
        EXPECT_TRUE(check_tree_path(path));
    }
}

TEST(ReadTree, ReadsAFolderAndFollowsNothing) {
    const TemporaryDirectory directory;
    const fs::path root = directory.path() / "p";
    fs::create_directories(root / "a" / "b");
    fs::create_directories(root / ".git");
    std::ofstream(root / ".git" / "HEAD") << "x";
    std::ofstream(root / "a" / "b" / "run") << "#!";
    fs::permissions(root / "a" / "b" / "run", fs::perms::owner_all);
    std::ofstream(root / "plugin.yaml") << "name: p";
    fs::create_symlink("/etc", root / "link");
    const auto tree = read_tree(root);
    ASSERT_TRUE(tree) << tree.error().message;
    EXPECT_EQ(tree->size(), 3u);
    EXPECT_TRUE(tree->at("a/b/run").executable);
    EXPECT_EQ(tree->at("plugin.yaml").bytes, "name: p");
    EXPECT_EQ(tree->at("link").kind, File::Kind::symlink);
    EXPECT_EQ(tree->at("link").bytes, "/etc");

    EXPECT_EQ(read_tree(root, {.bytes = 5, .files = 10}).error().code, Code::too_large);
    EXPECT_EQ(read_tree(root, {.bytes = 100, .files = 2}).error().code, Code::too_large);
    EXPECT_EQ(read_tree(root / "none").error().code, Code::not_found);
    EXPECT_EQ(read_tree(root / "plugin.yaml").error().code, Code::invalid);
    ASSERT_EQ(mkfifo((root / "pipe").c_str(), 0600), 0);
    EXPECT_EQ(read_tree(root).error().code, Code::invalid);
}

// The contract of every TreeStore.
struct Maker {
    const char* name;
    std::function<std::unique_ptr<TreeStore>(const fs::path&)> make;
};

class TreeStoreContract : public testing::TestWithParam<Maker> {
  protected:
    TemporaryDirectory directory_;
    std::unique_ptr<TreeStore> store_ = GetParam().make(directory_.path());
};

INSTANTIATE_TEST_SUITE_P(Stores, TreeStoreContract,
                         testing::Values(Maker{"Disk",
                                               [](const fs::path& directory) {
                                                   auto store =
                                                       open_tree_store(directory / "trees");
                                                   CHECK(store);
                                                   return *std::move(store);
                                               }},
                                         Maker{
                                             "Memory",
                                             [](const fs::path&) {
                                                 return std::make_unique<fakes::MemoryTreeStore>();
                                             }}),
                         [](const auto& store) { return store.param.name; });

TEST_P(TreeStoreContract, GivesBackWhatWasPut) {
    const auto digest = store_->put(sample());
    ASSERT_TRUE(digest);
    EXPECT_EQ(*digest, digest_of(manifest_of(sample())));
    const auto tree = store_->get(*digest);
    ASSERT_TRUE(tree);
    EXPECT_EQ((*tree)->size(), 4u);
    EXPECT_EQ((*tree)->at("skills/review/SKILL.md").bytes, std::string("a\0b", 3));
    EXPECT_TRUE((*tree)->at("hooks/pre-commit.sh").executable);
    EXPECT_FALSE((*tree)->at("plugin.yaml").executable);
    const auto manifest = store_->manifest(*digest);
    ASSERT_TRUE(manifest);
    EXPECT_EQ(*manifest, manifest_of(sample()));
    const auto bytes = store_->read(*digest, "plugin.yaml");
    ASSERT_TRUE(bytes);
    EXPECT_EQ(*bytes, "name: x\n");
}

TEST_P(TreeStoreContract, PuttingTheSameAgainIsTheSame) {
    const auto first = store_->put(sample());
    const auto second = store_->put(sample());
    ASSERT_TRUE(first && second);
    EXPECT_EQ(*first, *second);
}

TEST_P(TreeStoreContract, KeepsAnEmptyTree) {
    const auto digest = store_->put({});
    ASSERT_TRUE(digest);
    const auto tree = store_->get(*digest);
    ASSERT_TRUE(tree);
    EXPECT_TRUE((*tree)->empty());
}

TEST_P(TreeStoreContract, SaysWhatIsNotThere) {
    const auto none = store_->get(std::string(64, 'a'));
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().code, Code::not_found);
    const auto digest = store_->put(sample());
    ASSERT_TRUE(digest);
    const auto file = store_->read(*digest, "nope");
    ASSERT_FALSE(file);
    EXPECT_EQ(file.error().code, Code::not_found);
    const auto wrong = store_->get("../../etc");
    ASSERT_FALSE(wrong);
    EXPECT_EQ(wrong.error().code, Code::invalid);
}

TEST_P(TreeStoreContract, RefusesWhatIsNotARegularFileAtASafePath) {
    const Tree refused[] = {
        {{"link", {File::Kind::symlink, false, "/etc/passwd"}}},
        {{"../x", {}}},
        {{"a/.git/config", {}}},
        {{"a", {}}, {"a/b", {}}},
        {{"a", {}}, {"a.b", {}}, {"a/b/c", {}}},
    };
    for (const Tree& tree : refused) {
        SCOPED_TRACE(tree.begin()->first);
        const auto put = store_->put(tree);
        ASSERT_FALSE(put);
        EXPECT_EQ(put.error().code, Code::invalid);
    }
}

TEST_P(TreeStoreContract, ManyMayPutAtOnce) {
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i) {
        threads.emplace_back([this, i] {
            for (int j = 0; j < 5; ++j) {
                Tree tree = sample();
                tree["n"].bytes = std::to_string((i + j) % 4);
                const auto digest = store_->put(tree);
                ASSERT_TRUE(digest);
                const auto got = store_->get(*digest);
                ASSERT_TRUE(got);
                EXPECT_EQ((*got)->at("n").bytes, tree["n"].bytes);
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
}

// What only the store on disk can suffer.
class DiskTreeStore : public testing::Test {
  protected:
    std::unique_ptr<TreeStore> open() {
        auto store = open_tree_store(root_);
        CHECK(store);
        return *std::move(store);
    }
    TemporaryDirectory directory_;
    const fs::path root_ = directory_.path() / "trees";
};

TEST(TreeCollection, RemovesWhatNobodyWantsAfterTheGrace) {
    const TemporaryDirectory directory;
    const auto opened = open_tree_collection(directory.path() / "trees");
    ASSERT_TRUE(opened);
    TreeCollection* const store = opened->get();
    using std::chrono::minutes;
    const Duration grace = minutes(60);
    const Instant start = *parse_rfc3339("2026-05-08T12:00:00Z");
    const auto kept = store->put(sample());
    const auto unwanted = store->put({{"a", {File::Kind::regular, false, "a"}}});
    const auto late = store->put({{"b", {File::Kind::regular, false, "b"}}});
    const auto again = store->put({{"c", {File::Kind::regular, false, "c"}}});
    ASSERT_TRUE(kept && unwanted && late && again);
    using Gone = std::vector<std::string>;
    EXPECT_EQ(*store->collect({*kept, *late}, start, grace), Gone());
    EXPECT_EQ(*store->collect({*kept}, start + minutes(30), grace), Gone());
    ASSERT_TRUE(store->put({{"c", {File::Kind::regular, false, "c"}}}));
    EXPECT_EQ(*store->collect({*kept}, start + minutes(59), grace), Gone());
    EXPECT_EQ(*store->collect({*kept}, start + minutes(60), grace), Gone{*unwanted});
    EXPECT_EQ(*store->collect({*kept}, start + minutes(90), grace), Gone{*late});
    // Put again at 30, found unwanted at 59, wanted for a moment at 100.
    EXPECT_EQ(*store->collect({*kept, *again}, start + minutes(100), grace), Gone());
    EXPECT_EQ(*store->collect({*kept}, start + minutes(130), grace), Gone());
    EXPECT_EQ(*store->collect({*kept}, start + minutes(190), grace), Gone{*again});
    EXPECT_EQ(*store->digests(), std::set<std::string>{*kept});
    EXPECT_EQ(store->get(*unwanted).error().code, Code::not_found);
    // What went can come again.
    EXPECT_EQ(*store->put({{"a", {File::Kind::regular, false, "a"}}}), *unwanted);
    EXPECT_TRUE(store->get(*unwanted));
}

TEST_F(DiskTreeStore, KeepsTreesOverARestartAndClearsLeftovers) {
    const auto digest = open()->put(sample());
    ASSERT_TRUE(digest);
    fs::create_directories(root_ / ".put-7" / "files");
    std::ofstream(root_ / ".put-7" / "files" / "half") << "ha";
    auto store = open();
    EXPECT_FALSE(fs::exists(root_ / ".put-7"));
    EXPECT_TRUE(store->get(*digest));
    EXPECT_TRUE(store->put(sample()));
}

TEST_F(DiskTreeStore, PutsADamagedTreeAwayAndTakesItAgain) {
    const std::function<void(const fs::path&)> damages[] = {
        [](const fs::path& tree) { std::ofstream(tree / "files" / "plugin.yaml") << "name: y\n"; },
        [](const fs::path& tree) {
            std::ofstream(tree / "files" / "plugin.yaml") << "longer than it";
        },
        [](const fs::path& tree) { fs::remove(tree / "files" / "empty"); },
        [](const fs::path& tree) { fs::remove(tree / "manifest.json"); },
        [](const fs::path& tree) { std::ofstream(tree / "manifest.json") << "{\"files\":["; },
        [](const fs::path& tree) { std::ofstream(tree / "manifest.json") << "{\"files\":[]}"; },
        [](const fs::path& tree) {
            std::ofstream(tree / "manifest.json") << R"({"files":[{"path":"b"},{"path":"a"}]})";
        },
    };
    const auto store = open();
    for (const auto& damage : damages) {
        const auto digest = store->put(sample());
        ASSERT_TRUE(digest);
        damage(root_ / *digest);
        const auto got = store->get(*digest);
        ASSERT_FALSE(got);
        EXPECT_EQ(got.error().code, Code::not_found);
        EXPECT_EQ(got.error().message.find(root_.string()), std::string::npos);
        EXPECT_FALSE(fs::exists(root_ / *digest));
        ASSERT_TRUE(store->put(sample()));
        EXPECT_TRUE(store->get(*digest));
    }
}

TEST_F(DiskTreeStore, SaysThatItCannotWriteAndLeavesNothing) {
    if (geteuid() == 0) {
        // Root may write anywhere; a file where the folder should be stops even root.
        std::ofstream(directory_.path() / "file") << "x";
        const auto store = open_tree_store(directory_.path() / "file");
        ASSERT_FALSE(store);
        EXPECT_EQ(store.error().code, Code::invalid);
        return;
    }
    const auto store = open();
    fs::permissions(root_, fs::perms::owner_read | fs::perms::owner_exec);
    const auto put = store->put(sample());
    fs::permissions(root_, fs::perms::owner_all);
    ASSERT_FALSE(put);
    EXPECT_EQ(put.error().code, Code::forbidden);
    EXPECT_TRUE(fs::is_empty(root_));
}

}  // namespace
}  // namespace atelier::drivers
