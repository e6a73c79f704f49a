// A few threads for work that may not run on a thread of the HTTP server or of the store: it takes
// long, or it blocks.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace atelier::apiserver {

// Thread-safe. At most `threads` pieces of work run and at most `most_waiting` wait.
class WorkerPool {
  public:
    // `name` is what the threads are called; 15 characters at most. Threads begin when the first
    // work arrives.
    WorkerPool(std::string name, std::size_t threads, std::size_t most_waiting);
    ~WorkerPool();  // as stop()
    WorkerPool(const WorkerPool&) = delete;
    WorkerPool& operator=(const WorkerPool&) = delete;

    // Called once: with false on a thread of the pool; or with true, within stop(), when the pool
    // was stopped before the work's turn came.
    using Work = std::function<void(bool stopped)>;
    // False: too much waits already, or the pool is stopped; the work is dropped uncalled.
    bool take(Work work);
    bool stopped() const;
    // Waits for the work that runs. Idempotent; not from within a work.
    void stop();

  private:
    void run();

    const std::string name_;
    const std::size_t threads_;
    const std::size_t most_waiting_;
    mutable std::mutex mutex_;  // guards all below
    std::condition_variable wake_;
    std::deque<Work> waiting_;
    std::vector<std::thread> workers_;
    std::size_t idle_ = 0;
    bool stopped_ = false;
};

}  // namespace atelier::apiserver
