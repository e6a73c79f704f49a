// Fault 13: a template could mount the server's home and read its keys.
#include "drivers/host_folders.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "tests/support/process.h"

namespace atelier::drivers {
namespace {

namespace fs = std::filesystem;

class HostFoldersTest : public testing::Test {
  protected:
    void SetUp() override {
        for (const char* folder : {"srv/data/x", "srv/home/keys", "other"}) {
            fs::create_directories(root() / folder);
        }
        fs::create_directory_symlink(root() / "srv/home", root() / "srv/data/link");
        fs::create_directory_symlink(root() / "other", root() / "srv/data/away");
    }
    fs::path root() const { return fs::canonical(folder_.path()); }
    std::string check(const std::string& path, const std::vector<std::string>& allowed) const {
        std::vector<fs::path> paths;
        for (const std::string& one : allowed) paths.push_back(root() / one);
        const HostFolders folders(root() / "srv/home", paths);
        const auto checked = folders.check(root() / path);
        if (!checked) return std::string(name_of(checked.error().code));
        return fs::path(*checked).lexically_relative(root()).string();
    }

  private:
    support::TemporaryDirectory folder_;
};

TEST_F(HostFoldersTest, Fault13_NothingIsAllowedByDefault) {
    EXPECT_EQ(check("srv/data", {}), "forbidden");
    EXPECT_EQ(check("srv/home", {}), "forbidden");
}

TEST_F(HostFoldersTest, Fault13_WhatTheOperatorAllowsIsBelowHisFolders) {
    EXPECT_EQ(check("srv/data", {"srv/data"}), "srv/data");
    EXPECT_EQ(check("srv/data/x", {"srv/data"}), "srv/data/x");
    EXPECT_EQ(check("other", {"srv/data"}), "forbidden");
    EXPECT_EQ(check("srv/data/away", {"srv/data"}), "forbidden") << "a link leads out";
    EXPECT_EQ(check("srv/data/away", {"srv/data", "other"}), "other");
    EXPECT_EQ(check("srv/data/none", {"srv/data"}), "not found");
}

TEST_F(HostFoldersTest, Fault13_TheHomeIsRefusedByAnyWayToIt) {
    for (const char* path : {"srv/home", "srv/home/keys", "srv", ".", "srv/data/link",
                             "srv/data/link/keys", "srv/data/../home"}) {
        EXPECT_EQ(check(path, {"."}), "forbidden") << path;
    }
    EXPECT_EQ(check("srv/data", {"."}), "srv/data") << "beside it is allowed";
}

}  // namespace
}  // namespace atelier::drivers
