#include "controllers/work_queue.h"

#include <algorithm>
#include <cmath>

namespace atelier::controllers {

void WorkQueue::add(const Key& key, Instant due) {
    const auto [it, is_new] = due_.try_emplace(key, due);
    if (!is_new && it->second <= due) return;
    const bool runs = in_work_.contains(key);
    if (!is_new && !runs && ready_.erase({it->second, key}) == 0) waiting_.erase({it->second, key});
    it->second = due;
    if (!runs) waiting_.insert({due, key});
}

// Each entry is moved once, so that counting those that are due costs nothing.
void WorkQueue::pass(Instant now) {
    while (!waiting_.empty() && waiting_.begin()->first <= now) {
        ready_.insert(waiting_.extract(waiting_.begin()));
    }
}

std::optional<Key> WorkQueue::take(Instant now) {
    pass(now);
    if (ready_.empty()) return std::nullopt;
    Key key = ready_.begin()->second;
    ready_.erase(ready_.begin());
    due_.erase(key);
    in_work_.insert(key);
    return key;
}

void WorkQueue::done(const Key& key) {
    if (in_work_.erase(key) == 0) return;
    if (const auto it = due_.find(key); it != due_.end()) waiting_.insert({it->second, key});
}

void WorkQueue::bring_forward(Duration by) {
    waiting_.clear();
    ready_.clear();
    for (auto& [key, due] : due_) {
        due -= by;
        if (!in_work_.contains(key)) waiting_.insert({due, key});
    }
}

std::optional<Instant> WorkQueue::next_due() const {
    if (!ready_.empty()) return ready_.begin()->first;
    if (!waiting_.empty()) return waiting_.begin()->first;
    return std::nullopt;
}

std::size_t WorkQueue::due_by(Instant now) {
    pass(now);
    return ready_.size();
}

Duration Backoff::fail(const Key& key, Random& random) {
    const int failures = failures_[key]++;
    const double most = static_cast<double>(options_.most.count());
    const double wait =
        std::min(most, static_cast<double>(options_.first.count()) * std::exp2(failures));
    return Duration{static_cast<Duration::rep>(
        std::min(most, wait * (1 + options_.jitter * unit_interval(random))))};
}

int Backoff::failures(const Key& key) const {
    const auto it = failures_.find(key);
    return it == failures_.end() ? 0 : it->second;
}

}  // namespace atelier::controllers
