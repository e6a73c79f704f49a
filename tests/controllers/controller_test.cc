// The threaded shell. Nothing here asserts on time: waits are for events, with a bound.
#include "controllers/controller.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <map>
#include <set>
#include <sstream>

#include "tests/controllers/world.h"

namespace atelier::controllers {
namespace {

using reconcilers::Outcome;

// Waits until `claim` holds; wakes are given by whoever changes what it reads.
class Until {
  public:
    void wake() {
        const std::lock_guard lock(mutex_);
        changed_.notify_all();
    }
    template <class F>
    bool operator()(F claim) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, std::chrono::seconds(60), claim);
    }
    std::mutex& mutex() { return mutex_; }

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
};

TEST(Controller, ReconcilesWhatIsThereAndWhatComes) {
    World world(false);
    world.put(world.key("before"));
    Until until;
    std::set<std::string> seen;
    Recorder recorder([&](const Key& key, Instant) {
        {
            const std::lock_guard lock(until.mutex());
            seen.insert(key.name);
        }
        until.wake();
        return Outcome{};
    });
    SystemClock clock;
    Controller controller(recorder, *world.store, clock, world.random, world.metrics, Log(), {});
    controller.start();
    EXPECT_TRUE(until([&] { return seen.contains("before"); }));
    world.put(world.key("after"));
    EXPECT_TRUE(until([&] { return seen.contains("after"); }));
    controller.stop();
    EXPECT_NE(world.metrics.text().find("controller_runtime_reconcile_total"), std::string::npos);
}

// Fault 19: a worker slept by the steady clock until a time of the other one, and took a key that
// came after a step of that for one that is due later still.
TEST(Controller, Fault19_AStepOfTheClockDelaysNothing) {
    using std::chrono::hours;
    using std::chrono::minutes;
    for (const Duration step :
         {Duration(minutes(1)), Duration(hours(3)), Duration(hours(90'000))}) {
        World world(false);
        world.put(world.key("slow"));
        Until until;
        std::multiset<std::string> seen;
        Recorder recorder([&](const Key& key, Instant now) {
            {
                const std::lock_guard lock(until.mutex());
                seen.insert(key.name);
            }
            until.wake();
            return Outcome{now + minutes(9)};
        });
        ControllerOptions options;
        options.workers = 1;
        options.recheck = std::chrono::milliseconds(20);
        Controller controller(recorder, *world.store, world.clock, world.random, world.metrics,
                              Log(), options);
        controller.start();
        ASSERT_TRUE(until([&] { return seen.contains("slow"); }));
        std::this_thread::sleep_for(std::chrono::milliseconds(50));  // the worker sleeps again
        world.clock.advance(step);
        world.put(world.key("forward"));
        EXPECT_TRUE(until([&] { return seen.contains("forward"); }));
        if (step > minutes(9)) {
            EXPECT_TRUE(until([&] { return seen.count("slow") > 1; })) << "no event was needed";
        }
        world.clock.advance(-step - step);
        world.put(world.key("back"));
        EXPECT_TRUE(until([&] { return seen.contains("back"); }));
        controller.stop();
    }
}

TEST(Controller, NeverWorksOnOneKeyTwiceAtOnce) {
    World world(false);
    Until until;
    std::map<std::string, int> running;
    std::size_t done = 0;
    bool overlap = false;
    Recorder recorder([&](const Key& key, Instant) -> Result<Outcome> {
        {
            const std::lock_guard lock(until.mutex());
            overlap = overlap || ++running[key.name] > 1;
        }
        std::this_thread::yield();
        {
            const std::lock_guard lock(until.mutex());
            --running[key.name];
            ++done;
        }
        until.wake();
        return Outcome{};
    });
    SystemClock clock;
    Controller controller(recorder, *world.store, clock, world.random, world.metrics, Log(),
                          {.workers = 8, .core = {}});
    controller.start();
    for (int i = 0; i < 200; ++i) controller.hint(world.key("k" + std::to_string(i % 3)));
    EXPECT_TRUE(until([&] { return done >= 3; }));
    controller.stop();
    EXPECT_FALSE(overlap);
}

TEST(Controller, Scenario55_AFailureIsRetriedAndAnExceptionIsOne) {
    World world(false);
    world.put(world.key("a"));
    Until until;
    int calls = 0;
    Recorder recorder([&](const Key&, Instant) -> Result<Outcome> {
        int call = 0;
        {
            const std::lock_guard lock(until.mutex());
            call = ++calls;
        }
        until.wake();
        if (call == 1) return Error{Code::unavailable, "away"};
        if (call == 2) throw std::runtime_error("a defect");
        return Outcome{};
    });
    SystemClock clock;
    Controller controller(
        recorder, *world.store, clock, world.random, world.metrics, Log(),
        {.workers = 1, .core = {.backoff = {.first = std::chrono::milliseconds(1), .jitter = 0}}});
    controller.start();
    EXPECT_TRUE(until([&] { return calls >= 3; }));
    controller.stop();
    EXPECT_NE(world.metrics.text().find(
                  "controller_runtime_reconcile_errors_total{controller=\"recorder\"} 2"),
              std::string::npos);
}

// Scenario 53 and 54 of the domain: nothing happens after stop.
TEST(Controller, Scenario53_54_AfterStopNothingRunsAndNoMetricChanges) {
    World world(false);
    Recorder recorder;
    SystemClock clock;
    Controller controller(recorder, *world.store, clock, world.random, world.metrics, Log(), {});
    controller.start();
    controller.stop();
    const std::string before = world.metrics.text();
    const auto seen = recorder.seen();
    controller.hint(world.key("late"));
    world.put(world.key("late"));
    EXPECT_EQ(recorder.seen(), seen);
    const auto reconciles = [](const std::string& text) {
        std::vector<std::string> lines;
        std::istringstream in(text);
        for (std::string line; std::getline(in, line);) {
            if (line.starts_with("controller_runtime_reconcile")) lines.push_back(line);
        }
        return lines;
    };
    EXPECT_EQ(reconciles(world.metrics.text()), reconciles(before));
}

}  // namespace
}  // namespace atelier::controllers
