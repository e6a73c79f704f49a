// How many operations may wait for git servers that do not answer.
#include <gtest/gtest.h>

#include "drivers/git/gate.h"

namespace atelier::drivers {
namespace {

using std::chrono::seconds;

class HandClock final : public Clock {
  public:
    Instant now() const override { return now_; }
    Instant now_ = Instant(std::chrono::hours(24 * 365 * 55));
};

class GitGateTest : public testing::Test {
  protected:
    GitGate::Pass enter(const std::string& origin) {
        auto pass = gate.enter(origin);
        CHECK(pass);
        return *std::move(pass);
    }
    HandClock clock;
    GitGate gate{{.most_slow = 2, .slow_after = seconds(3)}, clock};
};

TEST_F(GitGateTest, OnlyTheOldestOfThoseThatHangGoOn) {
    auto a = enter("https://a");
    auto b = enter("https://b");
    auto c = enter("https://c");
    auto d = enter("https://d");
    clock.now_ += seconds(2);
    EXPECT_FALSE(d.must_give_up()) << "it has only begun";
    clock.now_ += seconds(1);
    EXPECT_FALSE(a.must_give_up());
    EXPECT_FALSE(b.must_give_up());
    EXPECT_TRUE(c.must_give_up());
    EXPECT_TRUE(d.must_give_up());
    d.heard(100'000);
    EXPECT_FALSE(d.must_give_up()) << "its server answers";
    { const auto ended = std::move(a); }
    EXPECT_FALSE(c.must_give_up()) << "there is room for it";
}

TEST_F(GitGateTest, AFewBytesNowAndThenAreNoAnswer) {
    auto a = enter("https://a");
    auto b = enter("https://b");
    auto drip = enter("https://c");
    auto stream = enter("https://d");
    for (int i = 0; i < 10; ++i) {
        clock.now_ += seconds(1);
        drip.heard(1);
        stream.heard(1000);
    }
    EXPECT_TRUE(drip.must_give_up());
    EXPECT_FALSE(stream.must_give_up());
}

TEST_F(GitGateTest, AServerThatWasSilentIsNotAskedWhileOthersAreWaitedFor) {
    enter("https://silent").in_vain("no answer");
    EXPECT_TRUE(gate.enter("https://silent")) << "nobody is waited for";
    const auto a = enter("https://a");
    const auto b = enter("https://b");
    clock.now_ += seconds(3);
    EXPECT_FALSE(gate.enter("https://silent"));
    EXPECT_TRUE(gate.enter("https://well")) << "one that is not known to be silent is asked";
    {
        const auto again = enter("https://well");
        EXPECT_FALSE(again.must_give_up());
    }
}

TEST_F(GitGateTest, AnAnswerMakesUpForSilence) {
    enter("https://silent").in_vain("no answer");
    enter("https://silent").answered();
    const auto a = enter("https://a");
    const auto b = enter("https://b");
    clock.now_ += seconds(3);
    EXPECT_TRUE(gate.enter("https://silent"));
}

// Through the time that others hang, a server's own failure was told as "did not answer lately".
TEST_F(GitGateTest, Fault23_TheCauseOfTheLastFailureIsKept) {
    EXPECT_EQ(gate.last_failure("https://a"), "");
    enter("https://a").in_vain("its name cannot be found");
    EXPECT_EQ(gate.last_failure("https://a"), "its name cannot be found");
    EXPECT_EQ(gate.last_failure("https://b"), "");
    enter("https://a").answered();
    EXPECT_EQ(gate.last_failure("https://a"), "");
}

TEST(GitGate, WithoutALimitNobodyGivesUp) {
    HandClock clock;
    GitGate gate({}, clock);
    const auto a = gate.enter("https://a");
    const auto b = gate.enter("https://a");
    ASSERT_TRUE(a && b);
    clock.now_ += seconds(1000);
    EXPECT_FALSE(a->must_give_up());
    EXPECT_FALSE(b->must_give_up());
}

}  // namespace
}  // namespace atelier::drivers
