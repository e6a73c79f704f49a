// The passive half of a controller: from changes in the store to due keys, and from a reconciler's
// outcome to the next due time. No thread, lock or clock: a simulation drives it in one thread, and
// controller.h drives it with workers.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/random.h"
#include "controllers/follower.h"
#include "controllers/work_queue.h"
#include "reconcilers/reconciler.h"
#include "store/store.h"

namespace atelier::controllers {

struct CoreOptions {
    Duration resync = std::chrono::minutes(10);  // each key is reconciled at least this often
    Backoff::Options backoff;
};

// What finish() made of an outcome; the label `result` of the metrics.
enum class Verdict { success, requeue_after, requeue, error, terminal_error };

class Core {
  public:
    // Collaborators outlive the core.
    Core(reconcilers::Reconciler& reconciler, const store::Store& store, Random& random,
         CoreOptions options);

    // Keys that the store's changes since the last call ask for. The first call, and one after
    // history was lost, yields every key. Reads the store; touches no queue, so that a shell may
    // call it without its lock.
    std::vector<Key> feed();

    void add(const Key& key, Instant due) { queue_.add(key, due); }
    // A clock that was set back does not delay what is due: reconciling too early does no harm.
    std::optional<Key> take(Instant now);
    Verdict finish(const Key& key, const Result<reconcilers::Outcome>& outcome, Instant now);
    std::optional<Instant> next_due() const { return queue_.next_due(); }

    int failures(const Key& key) const { return backoff_.failures(key); }

    WorkQueue& queue() { return queue_; }
    reconcilers::Reconciler& reconciler() { return reconciler_; }

  private:
    void feed_own(std::vector<Key>& keys);
    void feed_interest(std::size_t index, std::vector<Key>& keys);

    reconcilers::Reconciler& reconciler_;
    const store::Store& store_;
    Random& random_;
    const CoreOptions options_;
    const std::string resource_;
    const std::vector<reconcilers::Interest> interests_;
    // Used by feed() alone.
    Follower own_;
    std::vector<Follower> interest_followers_;  // one for each interest
    // Used by the others.
    WorkQueue queue_;
    Backoff backoff_;
    Instant latest_ = Instant::min();  // that take() was called with
};

// True for errors that only a change of the object can cure.
bool is_terminal(Code code);

}  // namespace atelier::controllers
