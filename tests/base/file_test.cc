#include "base/file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace atelier {
namespace {

namespace fs = std::filesystem;

class FileTest : public testing::Test {
  protected:
    void SetUp() override {
        std::string name = (fs::temp_directory_path() / "atelier-file-XXXXXX").string();
        ASSERT_NE(mkdtemp(name.data()), nullptr);
        folder_ = name;
    }
    void TearDown() override { fs::remove_all(folder_); }
    fs::path folder_;
};

TEST_F(FileTest, WritesReplaceAsAWhole) {
    const fs::path path = folder_ / "a";
    ASSERT_TRUE(write_file_atomically(path, "one", 0600));
    EXPECT_EQ(*read_file(path), "one");
    struct stat status {};
    ASSERT_EQ(stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777u, 0600u);
    const int reader = open(path.c_str(), O_RDONLY);
    ASSERT_TRUE(write_file_atomically(path, std::string(200'000, 'x')));
    char first = 0;
    EXPECT_EQ(::read(reader, &first, 1), 1);
    close(reader);
    EXPECT_EQ(first, 'o') << "who had it open still reads the old one";
    EXPECT_EQ(read_file(path)->size(), 200'000u);
    EXPECT_EQ(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()), 1)
        << "nothing temporary is left";
}

TEST_F(FileTest, ErrorsHaveCodesAndHideThePath) {
    const auto missing = read_file(folder_ / "gone");
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().code, Code::not_found);
    EXPECT_EQ(missing.error().message, "cannot read \"gone\": no such file or directory");
    EXPECT_EQ(missing.error().message.find(folder_.string()), std::string::npos);
    EXPECT_NE(missing.error().detail.find(folder_.string()), std::string::npos);
    ASSERT_TRUE(write_file_atomically(folder_ / "a", "12345"));
    EXPECT_EQ(read_file(folder_ / "a", 4).error().code, Code::too_large);
    EXPECT_EQ(read_file(folder_ / "a", 5)->size(), 5u);
    EXPECT_FALSE(write_file_atomically(folder_ / "no" / "a", "x"));
    EXPECT_EQ(make_directories(folder_ / "a" / "b").error().code, Code::invalid);
    EXPECT_EQ(error_of_errno(ENOSPC, "cannot write", "/x/y").code, Code::exhausted);
    EXPECT_EQ(error_of_errno(EACCES, "cannot write", "/x/y").code, Code::forbidden);
    EXPECT_EQ(error_of_errno(EIO, "cannot write", "/x/y").code, Code::internal);
}

TEST_F(FileTest, DirectoriesAreMadeOnce) {
    ASSERT_TRUE(make_directories(folder_ / "x" / "y" / "z", 0700));
    EXPECT_TRUE(make_directories(folder_ / "x" / "y" / "z"));
    EXPECT_TRUE(fs::is_directory(folder_ / "x" / "y" / "z"));
}

}  // namespace
}  // namespace atelier
