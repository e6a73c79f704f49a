#include "apiserver/webhooks/debouncer.h"

#include <algorithm>
#include <utility>

namespace atelier::apiserver {

void RateLimiter::ask(const Key& key, Instant now) {
    const auto [turn, fresh] = turns_.try_emplace(key, Turn{now});
    if (fresh || turn->second.asked) return;
    turn->second.due = std::max(turn->second.due, now);
    turn->second.asked = true;
}

std::vector<Key> RateLimiter::take_due(Instant now) {
    std::vector<Key> due;
    for (auto it = turns_.begin(); it != turns_.end();) {
        Turn& turn = it->second;
        // Nothing is due later than that, unless the clock went back.
        if (turn.due > now && turn.due <= now + pause_) {
            ++it;
        } else if (turn.asked) {
            due.push_back(it->first);
            turn = {now + pause_, false};
            ++it;
        } else {
            it = turns_.erase(it);
        }
    }
    return due;
}

std::optional<Instant> RateLimiter::next() const {
    std::optional<Instant> first;
    for (const auto& [key, turn] : turns_) {
        if (!first || turn.due < *first) first = turn.due;
    }
    return first;
}

Debouncer::Debouncer(const Clock& clock, Duration pause, bool own_thread,
                     std::function<void(const Key&)> act)
    : clock_(clock), own_thread_(own_thread), act_(std::move(act)), limiter_(pause) {}

void Debouncer::ask(const Key& key) {
    {
        const std::lock_guard lock(mutex_);
        if (stopped_) return;
        limiter_.ask(key, clock_.now());
        if (own_thread_ && !thread_.joinable()) thread_ = std::thread([this] { run(); });
    }
    wake_.notify_one();
}

void Debouncer::pump() {
    std::vector<Key> due;
    {
        const std::lock_guard lock(mutex_);
        due = limiter_.take_due(clock_.now());
    }
    for (const Key& key : due) act_(key);
}

void Debouncer::run() {
    for (;;) {
        pump();
        std::unique_lock lock(mutex_);
        if (stopped_) return;
        const auto next = limiter_.next();
        const Instant now = clock_.now();
        if (next && *next <= now) continue;
        if (next) {
            wake_.wait_for(lock, *next - now);
        } else {
            wake_.wait(lock);
        }
        if (stopped_) return;
    }
}

void Debouncer::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopped_ = true;
    }
    wake_.notify_all();
    if (thread_.joinable()) thread_.join();
}

}  // namespace atelier::apiserver
