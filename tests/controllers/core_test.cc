#include "controllers/core.h"

#include <gtest/gtest.h>

#include "tests/controllers/world.h"

namespace atelier::controllers {
namespace {

using reconcilers::Outcome;
using std::chrono::minutes;
using std::chrono::seconds;

std::vector<std::string> names(const std::vector<Key>& keys) {
    std::vector<std::string> out;
    for (const Key& key : keys) out.push_back(key.name);
    return out;
}

using Names = std::vector<std::string>;

TEST(Core, TheFirstFeedYieldsEveryKeyAndLaterOnesOnlyWhatChanged) {
    World world;
    world.put(world.key("a"));
    world.put(world.key("b"));
    Recorder recorder;
    Core core(recorder, *world.store, world.random, {});
    EXPECT_EQ(names(core.feed()), (Names{"a", "b"}));
    EXPECT_EQ(names(core.feed()), Names{});
    world.put(world.key("b"), R"(,"generation":2)");
    EXPECT_EQ(names(core.feed()), Names{"b"});
    world.remove(world.key("a"));
    EXPECT_EQ(names(core.feed()), Names{"a"});
}

TEST(Core, AWriteOfStatusAloneWakesNobody) {
    World world;
    world.put(world.key("a"), R"(,"generation":1)");
    Recorder recorder;
    Core core(recorder, *world.store, world.random, {});
    (void)core.feed();
    world.put(world.key("a"), R"(,"generation":1)", R"({"status":"only"})");
    EXPECT_EQ(names(core.feed()), Names{});
    world.put(world.key("a"), R"(,"generation":1,"annotations":{"atelier.dev/x":"1"})");
    EXPECT_EQ(names(core.feed()), Names{"a"});
}

TEST(Core, AnotherResourceWakesTheKeysItsInterestNames) {
    World world;
    world.put(world.key("a"));
    Recorder recorder;
    Core core(recorder, *world.store, world.random, {});
    (void)core.feed();
    world.put({"others.test", "default", "a"});
    EXPECT_EQ(names(core.feed()), Names{"a"});
    EXPECT_EQ(names(core.feed()), Names{});
}

TEST(Core, OutcomesDecideWhenAKeyIsTakenAgain) {
    World world;
    world.put(world.key("a"));
    Recorder recorder;
    Core core(recorder, *world.store, world.random, {.resync = minutes(10), .backoff = {}});
    const Instant now = world.clock.now();
    struct Case {
        const char* name;
        Result<Outcome> outcome;
        Verdict verdict;
        Duration least;
        Duration most;
    };
    const Case cases[] = {
        {"done", Outcome{}, Verdict::success, minutes(9), minutes(11)},
        {"wakes", Outcome{.wake_at = now + seconds(5)}, Verdict::requeue_after, seconds(5),
         seconds(5)},
        {"conflict", Error{Code::conflict, "stale"}, Verdict::requeue, Duration{1}, seconds(1)},
        {"error", Error{Code::unavailable, "away"}, Verdict::error, Duration{1}, seconds(1)},
        {"terminal", Error{Code::invalid, "wrong"}, Verdict::terminal_error, minutes(9),
         minutes(11)},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        core.add(world.key("a"), now);
        ASSERT_EQ(core.take(now), world.key("a"));
        EXPECT_EQ(core.finish(world.key("a"), c.outcome, now), c.verdict);
        const auto due = core.next_due();
        ASSERT_TRUE(due);
        EXPECT_GE(*due - now, c.least);
        EXPECT_LE(*due - now, c.most);
    }
}

TEST(Core, AClockThatIsSetBackHoldsNothingUp) {
    World world;
    Recorder recorder;
    Core core(recorder, *world.store, world.random, {});
    const Instant start = Instant{} + std::chrono::hours(100);
    EXPECT_FALSE(core.take(start));
    core.add(world.key("soon"), start + seconds(30));
    core.add(world.key("later"), start + minutes(5));
    const Instant back = start - std::chrono::hours(24);
    EXPECT_FALSE(core.take(back));
    EXPECT_EQ(core.next_due(), back + seconds(30));
    EXPECT_EQ(core.take(back + seconds(30)), world.key("soon"));
    // What slews a little is left alone.
    EXPECT_FALSE(core.take(back + seconds(28)));
    EXPECT_EQ(core.next_due(), back + minutes(5));
}

TEST(Core, AKeyWhoseObjectIsGoneIsForgotten) {
    World world;
    Recorder recorder;
    Core core(recorder, *world.store, world.random, {});
    core.add(world.key("gone"), world.clock.now());
    ASSERT_TRUE(core.take(world.clock.now()));
    core.finish(world.key("gone"), Outcome{}, world.clock.now());
    EXPECT_EQ(core.next_due(), std::nullopt);
}

}  // namespace
}  // namespace atelier::controllers
