// Work that may block, away from the I/O threads: one thread and a bounded queue.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace atelier::apiserver {

// Thread-safe.
class Background {
  public:
    // Without a thread of its own, post() works at once, in the caller's.
    explicit Background(bool own_thread, std::size_t most = 32);
    ~Background() { stop(); }
    Background(const Background&) = delete;
    Background& operator=(const Background&) = delete;

    // False when too much is waiting, or after stop(): the work is not done.
    bool post(std::function<void()> work);
    // Ends with the work that is in hand; what waits is dropped. Not from within work.
    void stop();

  private:
    void run();

    const bool own_thread_;
    const std::size_t most_;
    std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<std::function<void()>> queue_;  // guarded by mutex_
    bool stopped_ = false;                     // guarded by mutex_
    std::thread thread_;                       // begun with the first work; guarded by mutex_
};

}  // namespace atelier::apiserver
