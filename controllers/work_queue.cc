#include "controllers/work_queue.h"

#include <algorithm>
#include <cmath>

namespace atelier::controllers {

void WorkQueue::add(const Key& key, Instant due) {
    const auto [it, fresh] = due_.try_emplace(key, due);
    if (!fresh && it->second <= due) return;
    line_.erase({it->second, key});
    it->second = due;
    line_.insert({due, key});
}

std::optional<Key> WorkQueue::take(Instant now) {
    for (const auto& [due, key] : line_) {
        if (due > now) break;
        if (in_work_.contains(key)) continue;
        Key taken = key;
        line_.erase({due, taken});
        due_.erase(taken);
        in_work_.insert(taken);
        return taken;
    }
    return std::nullopt;
}

void WorkQueue::done(const Key& key) {
    in_work_.erase(key);
}

void WorkQueue::bring_forward(Duration by) {
    line_.clear();
    for (auto& [key, due] : due_) {
        due -= by;
        line_.insert({due, key});
    }
}

std::optional<Instant> WorkQueue::next_due() const {
    for (const auto& [due, key] : line_) {
        if (!in_work_.contains(key)) return due;
    }
    return std::nullopt;
}

std::size_t WorkQueue::due_by(Instant now) const {
    std::size_t count = 0;
    for (const auto& [due, key] : line_) {
        if (due > now) break;
        ++count;
    }
    return count;
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
