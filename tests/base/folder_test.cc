// The one way below folders that others can write to: links, pipes, sockets and sizes.
#include "base/folder.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <random>

#include "base/file.h"

namespace atelier {
namespace {

namespace fs = std::filesystem;

class FolderTest : public testing::Test {
  protected:
    void SetUp() override {
        std::string name = (fs::temp_directory_path() / "atelier-folder-XXXXXX").string();
        ASSERT_NE(mkdtemp(name.data()), nullptr);
        path_ = name;
        fs::create_directories(path_ / "inside");
        ASSERT_TRUE(write_file_atomically(path_ / "secret", "outside"));
        inside_ = std::move(*open_folder((path_ / "inside").string()));
    }
    void TearDown() override { fs::remove_all(path_); }

    // Puts one of the things that a hostile program can make at a name.
    void plant(unsigned kind, const std::string& name) {
        const fs::path place = path_ / "inside" / name;
        std::error_code ignored;
        fs::remove_all(place, ignored);
        switch (kind % 9) {
            case 0:
                ASSERT_EQ(mkfifo(place.c_str(), 0666), 0);
                break;
            case 1:
                fs::create_symlink(path_ / "secret", place, ignored);
                break;
            case 2:
                fs::create_symlink("/dev/zero", place, ignored);
                break;
            case 3:
                fs::create_directories(place, ignored);
                break;
            case 4: {
                const Descriptor made(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
                sockaddr_un address{};
                address.sun_family = AF_UNIX;
                place.string().copy(address.sun_path, sizeof address.sun_path - 1);
                ASSERT_EQ(bind(made.get(), reinterpret_cast<sockaddr*>(&address), sizeof address),
                          0);
                break;
            }
            case 5:
                ASSERT_TRUE(write_file_atomically(place, std::string(5000, 'x')));
                break;
            case 6:
                ASSERT_EQ(mknod(place.c_str(), S_IFREG | 0000, 0), 0);
                break;
            case 7:
                fs::create_symlink(name, place, ignored);  // to itself
                break;
            default:
                ASSERT_TRUE(write_file_atomically(place, "good"));
        }
    }

    fs::path path_;
    Descriptor inside_;
};

TEST_F(FolderTest, Fault12_WhateverStandsInTheWayNothingWaitsAndNothingLeaks) {
    std::mt19937 random(12);  // NOLINT: the same case each time
    for (int round = 0; round < 90; ++round) {
        const unsigned kind = static_cast<unsigned>(random());
        SCOPED_TRACE(kind % 9);
        plant(kind, "status.json");
        const auto file = read_file_at(inside_, "status.json", 1000);
        if (kind % 9 == 8) {
            EXPECT_EQ(file->bytes, "good");
        } else if (file) {
            EXPECT_EQ(file->bytes, "") << "only the empty file can be read besides";
        } else {
            EXPECT_TRUE(file.error().code == Code::invalid || file.error().code == Code::too_large)
                << file.error().message;
        }
        // It can be replaced, unless it is a folder; and nothing outside is touched.
        const auto replaced = replace_file_at(inside_, "status.json", "new", 0644);
        EXPECT_EQ(static_cast<bool>(replaced), kind % 9 != 3);
        if (replaced) {
            EXPECT_EQ(read_file_at(inside_, "status.json", 1000)->bytes, "new");
        }
        EXPECT_FALSE(create_file_at(inside_, "status.json", "x", 0644));
        EXPECT_EQ(*read_file(path_ / "secret"), "outside");
        EXPECT_TRUE(remove_at(inside_, "status.json"));
    }
    EXPECT_TRUE(fs::is_empty(path_ / "inside"));
}

TEST_F(FolderTest, Fault12_PathsStayBelowTheirFolder) {
    fs::create_directory_symlink(path_, path_ / "inside/up");
    fs::create_directories(path_ / "inside/a/b");
    EXPECT_TRUE(open_folder_below(inside_, ""));
    EXPECT_TRUE(open_folder_below(inside_, "a/b"));
    for (const char* path : {"..", "a/../..", "/", "/etc", "a//b", "up", "up/inside", "a/b/c"}) {
        EXPECT_FALSE(open_folder_below(inside_, path)) << path;
    }
    EXPECT_TRUE(make_folder_below(inside_, "c/d/e", 0755));
    EXPECT_TRUE(fs::is_directory(path_ / "inside/c/d/e"));
    EXPECT_FALSE(make_folder_below(inside_, "up/evil", 0755));
    EXPECT_FALSE(fs::exists(path_ / "evil"));
}

TEST_F(FolderTest, AMadeFileHasItsModeWhateverTheUmask) {
    const mode_t before = umask(0077);
    const auto made = create_file_at(inside_, "run", "#!/bin/sh\n", 0755);
    umask(before);
    ASSERT_TRUE(made);
    struct stat status {};
    ASSERT_EQ(fstat(made->get(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777u, 0755u);
    EXPECT_TRUE(read_file_at(inside_, "run", 100)->executable);
}

}  // namespace
}  // namespace atelier
