// Where workspaces run, by the server's options and what the machine has.
#include "cmd/runtimes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace atelier::cmd {
namespace {

// With Docker's socket there and silent, the server ran agents as processes of the host.
TEST(Runtimes, Fault14_ASilentDockerIsWaitedFor) {
    const auto choice = choose_runtimes({}, true);
    ASSERT_TRUE(choice);
    EXPECT_EQ(choice->docker_host, "unix:///var/run/docker.sock");
    EXPECT_EQ(choice->default_backend, "docker");
}

TEST(Runtimes, Fault14_ProcessesAreSaidPlainlyAndCanBeSwitchedOff) {
    const auto choice = choose_runtimes({}, false);
    ASSERT_TRUE(choice);
    EXPECT_EQ(choice->default_backend, "process");
    EXPECT_THAT(choice->summary, testing::HasSubstr("can read its token and keys"));
    EXPECT_THAT(choice->summary, testing::HasSubstr("there is no socket /var/run/docker.sock"));

    ServerOptions off;
    off.process_runtime = false;
    EXPECT_EQ(choose_runtimes(off, false).error().code, Code::invalid);
    ASSERT_TRUE(choose_runtimes(off, true));
    EXPECT_FALSE(choose_runtimes(off, true)->process);
    off.backend = "process";
    EXPECT_EQ(choose_runtimes(off, true).error().code, Code::invalid);
}

TEST(Runtimes, AnExplicitChoiceWins) {
    ServerOptions options;
    options.docker = "unix:///run/other.sock";
    EXPECT_EQ(choose_runtimes(options, true)->docker_host, options.docker);
    options.backend = "process";
    EXPECT_EQ(choose_runtimes(options, true)->default_backend, "process");
    EXPECT_THAT(choose_runtimes(options, true)->summary, testing::HasSubstr("--backend says so"));
    options.docker = "off";
    options.backend = "docker";
    EXPECT_EQ(choose_runtimes(options, true).error().code, Code::invalid);
}

}  // namespace
}  // namespace atelier::cmd
