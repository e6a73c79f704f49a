// Requests about objects, at a bounded rate: the first request for an object is due at once, later
// ones at most once per pause. A request during a pause is due at its end, so that the last one is
// never lost.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "crds/meta.h"

namespace atelier::apiserver {

// Passive. Remembers no object for longer than a pause.
class RateLimiter {
  public:
    explicit RateLimiter(Duration pause) : pause_(pause) {}
    void ask(const Key& key, Instant now);
    // The objects that are due; each request is returned once.
    std::vector<Key> take_due(Instant now);
    std::optional<Instant> next() const;  // when there is something to take

  private:
    struct Turn {
        Instant due;
        bool asked =
            true;  // false: the last request was due a pause before `due`, and none has come since
    };
    const Duration pause_;
    std::map<Key, Turn> turns_;
};

// Thread-safe. With a thread of its own `act` is called from that thread, else from pump().
class Debouncer {
  public:
    Debouncer(const Clock& clock, Duration pause, bool own_thread,
              std::function<void(const Key&)> act);
    ~Debouncer() { stop(); }
    Debouncer(const Debouncer&) = delete;
    Debouncer& operator=(const Debouncer&) = delete;

    void ask(const Key& key);
    void pump();
    void stop();  // drops the requests that wait; may not be called from `act`

  private:
    void run();

    const Clock& clock_;
    const bool own_thread_;
    const std::function<void(const Key&)> act_;
    std::mutex mutex_;
    std::condition_variable wake_;
    RateLimiter limiter_;   // guarded by mutex_
    bool stopped_ = false;  // guarded by mutex_
    std::thread thread_;    // begun with the first request; guarded by mutex_
};

}  // namespace atelier::apiserver
