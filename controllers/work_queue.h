// Which keys are due, which are in work, and how long a failing key waits.
//
// A key is in work at most once at a time; adding it meanwhile means once more afterwards. Passive:
// no thread, no lock, no clock. The shell around it (controller.h) has those.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "base/clock.h"
#include "base/random.h"
#include "crds/meta.h"

namespace atelier::controllers {

// Every call costs the logarithm of the number of keys, but for bring_forward().
class WorkQueue {
  public:
    // A key has one due time: the earlier of two.
    void add(const Key& key, Instant due);
    // The key that has been due the longest and is not in work; it is in work from now on.
    std::optional<Key> take(Instant now);
    void done(const Key& key);
    // Every key is due so much earlier: the clock went back.
    void bring_forward(Duration by);
    // When take() could next succeed: how long a worker may sleep.
    std::optional<Instant> next_due() const;

    // Keys that wait for a worker: due by now, or by an earlier call with a later time.
    std::size_t due_by(Instant now);
    std::size_t in_work() const { return in_work_.size(); }
    bool contains(const Key& key) const { return due_.contains(key) || in_work_.contains(key); }

  private:
    using Line = std::set<std::pair<Instant, Key>>;
    void pass(Instant now);

    std::map<Key, Instant> due_;  // of every key that was added, those in work included
    // Those that are not in work: whose time has not come when it was last looked, and has.
    Line waiting_;
    Line ready_;
    std::set<Key> in_work_;
};

struct BackoffOptions {
    Duration first = std::chrono::milliseconds(200);
    Duration most = std::chrono::minutes(5);
    double jitter = 0.2;  // each wait is longer by up to this share, so that failures spread
};

// Exponential backoff per key, forgotten on success. Passive.
class Backoff {
  public:
    using Options = BackoffOptions;

    explicit Backoff(Options options = {}) : options_(options) {}
    Duration fail(const Key& key, Random& random);  // how long to wait after one more failure
    void forget(const Key& key) { failures_.erase(key); }
    int failures(const Key& key) const;

  private:
    Options options_;
    std::map<Key, int> failures_;
};

}  // namespace atelier::controllers
