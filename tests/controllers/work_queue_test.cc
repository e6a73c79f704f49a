#include "controllers/work_queue.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

namespace atelier::controllers {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

Instant at(int s) {
    return Instant{seconds(s)};
}
Key key(const std::string& name) {
    return {"things", "default", name};
}

TEST(WorkQueue, TakesTheKeyThatIsDueTheLongest) {
    WorkQueue queue;
    queue.add(key("late"), at(5));
    queue.add(key("early"), at(3));
    EXPECT_EQ(queue.take(at(2)), std::nullopt);
    EXPECT_EQ(queue.take(at(9)), key("early"));
    EXPECT_EQ(queue.take(at(9)), key("late"));
    EXPECT_EQ(queue.take(at(9)), std::nullopt);
}

TEST(WorkQueue, NeverGivesAKeyTwiceAtTheSameTime) {
    WorkQueue queue;
    queue.add(key("a"), at(1));
    ASSERT_EQ(queue.take(at(1)), key("a"));
    queue.add(key("a"), at(1));
    EXPECT_EQ(queue.take(at(9)), std::nullopt);
    EXPECT_EQ(queue.next_due(), std::nullopt);
    queue.done(key("a"));
    EXPECT_EQ(queue.take(at(9)), key("a"));
    queue.done(key("a"));
    EXPECT_EQ(queue.take(at(9)), std::nullopt);
}

TEST(WorkQueue, KeepsTheEarlierOfTwoWishes) {
    WorkQueue queue;
    queue.add(key("a"), at(5));
    queue.add(key("a"), at(9));
    EXPECT_EQ(queue.next_due(), at(5));
    queue.add(key("a"), at(2));
    EXPECT_EQ(queue.next_due(), at(2));
    EXPECT_EQ(queue.due_by(at(9)), 1u);
}

// Fault 9: the keys that are due were counted one by one, under the queue's lock.
TEST(WorkQueue, Fault9_CountsOfDueKeysAreKept) {
    WorkQueue queue;
    for (int i = 0; i < 1000; ++i) queue.add(key(std::to_string(i)), at(i));
    EXPECT_EQ(queue.due_by(at(-1)), 0u);
    EXPECT_EQ(queue.due_by(at(499)), 500u);
    ASSERT_EQ(queue.take(at(499)), key("0"));
    EXPECT_EQ(queue.due_by(at(499)), 499u);
    queue.add(key("0"), at(1));  // while it is in work: it does not wait for a worker
    EXPECT_EQ(queue.due_by(at(499)), 499u);
    queue.done(key("0"));
    EXPECT_EQ(queue.due_by(at(499)), 500u);
    queue.add(key("900"), at(3));
    EXPECT_EQ(queue.due_by(at(499)), 501u);
    queue.bring_forward(seconds(2000));
    EXPECT_EQ(queue.due_by(at(0)), 1000u);
    EXPECT_EQ(queue.take(at(0)), key("0"));
}

TEST(Backoff, DoublesUpToItsCapAndForgetsOnSuccess) {
    SeededRandom random(1);
    Backoff backoff({.first = milliseconds(200), .most = seconds(10), .jitter = 0});
    EXPECT_EQ(backoff.fail(key("a"), random), milliseconds(200));
    EXPECT_EQ(backoff.fail(key("a"), random), milliseconds(400));
    for (int i = 0; i < 60; ++i) (void)backoff.fail(key("a"), random);
    EXPECT_EQ(backoff.fail(key("a"), random), seconds(10));
    EXPECT_EQ(backoff.fail(key("b"), random), milliseconds(200));
    backoff.forget(key("a"));
    EXPECT_EQ(backoff.fail(key("a"), random), milliseconds(200));
}

TEST(Backoff, JitterIsBoundedAndRepeatsFromASeed) {
    Backoff a({.first = seconds(1), .most = seconds(100), .jitter = 0.2});
    Backoff b = a;
    SeededRandom first(7);
    SeededRandom second(7);
    for (int i = 0; i < 5; ++i) {
        const Duration wait = a.fail(key("a"), first);
        EXPECT_GE(wait, seconds(1 << i));
        EXPECT_LE(wait, milliseconds(1200) * (1 << i));
        EXPECT_EQ(b.fail(key("a"), second), wait);
    }
}

}  // namespace
}  // namespace atelier::controllers
