#include "drivers/process/event_log.h"

#include <algorithm>

#include "drivers/runtime_names.h"

namespace atelier::drivers {

namespace {

constexpr std::size_t most_events = 1024;

}  // namespace

void EventLog::add(const Labels& labels) {
    const std::lock_guard lock(mutex_);
    events_.push_back(labels);
    if (events_.size() > most_events) {
        events_.pop_front();
        ++first_;
    }
    added_.notify_all();
}

void EventLog::follow(const std::stop_token& stop, const Labels& having,
                      const std::function<void(const Labels&)>& on_event) {
    std::unique_lock lock(mutex_);
    std::uint64_t& next = followed_.try_emplace(having, 0).first->second;
    while (!stop.stop_requested()) {
        next = std::max(next, first_);
        if (next == first_ + events_.size()) {
            added_.wait(lock, stop, [&] { return next < first_ + events_.size(); });
            continue;
        }
        const Labels labels = events_[next++ - first_];
        if (!has_all(labels, having)) continue;
        lock.unlock();
        on_event(labels);
        lock.lock();
    }
}

}  // namespace atelier::drivers
