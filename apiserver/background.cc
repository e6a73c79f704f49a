#include "apiserver/background.h"

#include <utility>

namespace atelier::apiserver {

Background::Background(bool own_thread, std::size_t most) : own_thread_(own_thread), most_(most) {}

bool Background::post(std::function<void()> work) {
    {
        const std::lock_guard lock(mutex_);
        if (stopped_ || queue_.size() >= most_) return false;
        if (own_thread_) {
            queue_.push_back(std::move(work));
            if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
        }
    }
    if (own_thread_) {
        wake_.notify_one();
    } else {
        work();
    }
    return true;
}

void Background::run() {
    for (;;) {
        std::function<void()> work;
        {
            std::unique_lock lock(mutex_);
            wake_.wait(lock, [this] { return stopped_ || !queue_.empty(); });
            if (stopped_) return;
            work = std::move(queue_.front());
            queue_.pop_front();
        }
        work();
    }
}

void Background::stop() {
    std::deque<std::function<void()>> dropped;
    {
        const std::lock_guard lock(mutex_);
        stopped_ = true;
        dropped.swap(queue_);
    }
    wake_.notify_all();
    if (thread_.joinable()) thread_.join();
}

}  // namespace atelier::apiserver
