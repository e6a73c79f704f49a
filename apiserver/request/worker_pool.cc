#include "apiserver/request/worker_pool.h"

#include <pthread.h>

#include <utility>

namespace atelier::apiserver {

WorkerPool::WorkerPool(std::string name, std::size_t threads, std::size_t most_waiting)
    : name_(std::move(name)), threads_(threads), most_waiting_(most_waiting) {}

WorkerPool::~WorkerPool() {
    stop();
}

bool WorkerPool::take(Work work) {
    const std::lock_guard lock(mutex_);
    if (stopped_ || waiting_.size() >= most_waiting_) return false;
    waiting_.push_back(std::move(work));
    if (idle_ < waiting_.size() && workers_.size() < threads_) {
        workers_.emplace_back([this] { run(); });
    }
    wake_.notify_one();
    return true;
}

bool WorkerPool::stopped() const {
    const std::lock_guard lock(mutex_);
    return stopped_;
}

void WorkerPool::run() {
    pthread_setname_np(pthread_self(), name_.c_str());
    std::unique_lock lock(mutex_);
    while (true) {
        ++idle_;
        wake_.wait(lock, [&] { return stopped_ || !waiting_.empty(); });
        --idle_;
        if (stopped_) return;
        const Work work = std::move(waiting_.front());
        waiting_.pop_front();
        lock.unlock();
        work(false);
        lock.lock();
    }
}

void WorkerPool::stop() {
    std::deque<Work> left;
    std::vector<std::thread> workers;
    {
        const std::lock_guard lock(mutex_);
        stopped_ = true;
        left.swap(waiting_);
        workers.swap(workers_);
    }
    wake_.notify_all();
    for (const Work& work : left) work(true);
    for (std::thread& worker : workers) worker.join();
}

}  // namespace atelier::apiserver
