// Watches: each is a cursor into the store's one history. Watchers of the same kind, selection and
// form share their matching and every encoded line. One that reads slowly keeps a cursor of its own
// and catches up by itself: no more is queued for it than its share of a budget.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "apiserver/present/representation.h"
#include "apiserver/resources/objects.h"
#include "apiserver/resources/selectors.h"
#include "base/metrics.h"

namespace atelier::apiserver {

struct WatchStart {
    const crds::Kind* kind = nullptr;
    Selection selection;
    View view;
    Revision after = 0;          // events later than this are sent
    store::SnapshotPtr initial;  // its objects are sent first, as ADDED; may be nullptr
    bool initial_end = false;    // then a bookmark that marks the end of the initial objects
    bool bookmarks = false;
    Instant deadline;  // when the stream is finished, as clients expect of a timeout
};

// Thread-safe.
class WatchHub {
  public:
    struct Options {
        // A thread of its own; otherwise the owner calls pump().
        bool own_thread = true;
        Duration bookmark_every = std::chrono::seconds(60);
    };
    WatchHub(Objects& objects, Presenter& presenter, const Clock& clock, Metrics& metrics,
             Options options);
    ~WatchHub();  // as stop()

    // Takes over a stream that was started. Never blocks.
    void add(WatchStart start, std::shared_ptr<ResponseSink> sink);
    // Calls `then` with true once the store has reached the revision, or with false at `deadline`.
    void when(Revision revision, Instant deadline, std::function<void(bool)> then);

    // The store has committed something. Cheap, never blocks.
    void wake();
    // Delivers all that there is to deliver now. Calls of several threads take turns.
    void pump();
    // Finishes all streams, as at their timeout, and takes no more. Idempotent.
    void stop();

  private:
    struct InitialState;
    struct Watcher;
    struct Group;
    struct Stream;
    struct Waiter;
    using WatcherPtr = std::shared_ptr<Watcher>;

    void run(std::stop_token stop);
    Duration idle_time() const;
    void admit();
    Stream& stream_of(const crds::Kind& kind);
    std::shared_ptr<const InitialState> initial_state(const crds::Kind& kind,
                                                      store::SnapshotPtr snapshot);
    std::size_t share() const;
    void advance(Stream& stream);
    void deliver(Stream& stream, const store::Event& event);
    void catch_up(Stream& stream, const WatcherPtr& watcher);
    bool send_initial(Watcher& watcher);
    void send_some_initial(Watcher& watcher);
    bool send_events(Stream& stream, Watcher& watcher);
    void join(Stream& stream, const WatcherPtr& watcher);
    void tick(Instant now);
    void tick(Stream& stream, Watcher& watcher, Instant now);
    void settle_waiters(Instant now);
    void drop_dead();
    void end(Watcher& watcher);

    Objects& objects_;
    Presenter& presenter_;
    const Clock& clock_;
    const Options options_;
    Gauge& watchers_gauge_;

    std::mutex pump_mutex_;  // guards what follows
    std::map<const crds::Kind*, std::unique_ptr<Stream>> streams_;
    std::vector<Waiter> waiters_;
    std::size_t count_ = 0;
    std::size_t individual_ = 0;  // watchers that could not be served to the end
    bool more_to_send_ = false;   // one of them because others had to have their turn
    Instant next_tick_ = Instant::max();
    bool stopped_ = false;

    mutable std::mutex inbox_mutex_;  // guards what follows; never held while calling out
    std::condition_variable news_;
    bool awake_ = false;
    bool closing_ = false;
    std::vector<std::pair<WatcherPtr, const crds::Kind*>> inbox_;
    std::vector<Waiter> waiters_inbox_;

    std::mutex initial_mutex_;  // guards the map below
    // The newest one of each kind: watches that begin at the same revision share it.
    std::map<const crds::Kind*, std::weak_ptr<const InitialState>> initial_states_;

    // Streams whose client is gone, not yet dropped. Shared with the sinks' calls, which may
    // outlive us.
    std::shared_ptr<std::atomic<std::size_t>> closed_ =
        std::make_shared<std::atomic<std::size_t>>(0);
    std::atomic<std::int64_t> idle_micros_{0};
    std::jthread thread_;  // last: ends first
};

}  // namespace atelier::apiserver
