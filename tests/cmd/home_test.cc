// The server's folder when files of it are damaged or lost.
#include "cmd/home.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "tests/support/process.h"

namespace atelier::cmd {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class HomeTest : public testing::Test {
  protected:
    HomeTest() {
        options.home = folder.path() / "home";
        options.org_templates = options.home / "org-templates";
        options.plugins = options.home / "plugins";
    }
    // What a server leaves behind once it has served.
    std::string use_once() {
        const auto home = Home::open(options, random);
        EXPECT_TRUE(home) << home.error().message;
        EXPECT_TRUE(write_file_atomically(options.home / "token", "a-token-of-an-admin\n", 0600));
        return home ? home->instance() : "";
    }
    void expect_refused(const std::string& words) {
        const auto home = Home::open(options, random);
        ASSERT_FALSE(home);
        EXPECT_EQ(home.error().code, Code::invalid);
        EXPECT_THAT(home.error().message, HasSubstr(words));
    }

    support::TemporaryDirectory folder;
    SystemRandom random;
    ServerOptions options;
};

TEST_F(HomeTest, IsTheSameEachTime) {
    const std::string instance = use_once();
    const auto again = Home::open(options, random);
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(again->instance(), instance);
}

TEST_F(HomeTest, Fault16_ADamagedInstanceIdIsRefusedByName) {
    use_once();
    const fs::path file = options.home / "instance-id";
    for (const std::string text : {"", "\n", "0a1b", "0A1B2C3D-0000-4000-8000-000000000000\n"}) {
        ASSERT_TRUE(write_file_atomically(file, text));
        expect_refused("instance-id of the home folder holds no UUID");
        EXPECT_EQ(*read_file(file), text) << "it is not written over";
    }
    fs::remove(file);
    expect_refused("instance-id is missing from the home folder");
    EXPECT_FALSE(fs::exists(file)) << "nothing is made anew where something was";
}

TEST_F(HomeTest, Fault16_ALostKeyIsNotMadeAnew) {
    use_once();
    const fs::path file = options.home / "keys/encryption.key";
    const std::string key = *read_file(file);
    fs::remove(file);
    expect_refused("keys/encryption.key is missing from the home folder");
    EXPECT_FALSE(fs::exists(file));
    ASSERT_TRUE(write_file_atomically(file, ""));
    expect_refused("keys/encryption.key of the home folder has no key");
    options.encryption_key = std::string(32, 'k');
    EXPECT_TRUE(Home::open(options, random)) << "the key comes from the environment";
    options.encryption_key.clear();
    ASSERT_TRUE(write_file_atomically(file, key, 0600));
    EXPECT_TRUE(Home::open(options, random));
}

}  // namespace
}  // namespace atelier::cmd
