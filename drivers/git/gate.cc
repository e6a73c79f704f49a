#include "drivers/git/gate.h"

#include <algorithm>

namespace atelier::drivers {
namespace {

// An operation that received less than this on an average is slow.
constexpr std::int64_t bytes_a_second = 256;
constexpr std::size_t most_silent = 10'000;

}  // namespace

bool GitGate::is_slow(const Entry& entry, Instant now) const {
    const Duration taken = now - entry.begun;
    if (taken < options_.slow_after) return false;
    return entry.received < bytes_a_second * (taken / std::chrono::seconds(1));
}

std::optional<GitGate::Pass> GitGate::enter(const std::string& origin) {
    const Instant now = clock_.now();
    const std::lock_guard lock(mutex_);
    if (options_.most_slow > 0 && silent_.contains(origin)) {
        const auto slow = std::count_if(entries_.begin(), entries_.end(),
                                        [&](const Entry& entry) { return is_slow(entry, now); });
        if (slow >= options_.most_slow) return std::nullopt;
    }
    entries_.push_back({.origin = origin, .begun = now});
    return Pass(*this, std::prev(entries_.end()));
}

GitGate::Pass::~Pass() {
    if (!gate_) return;
    const std::lock_guard lock(gate_->mutex_);
    gate_->entries_.erase(entry_);
}

void GitGate::Pass::heard(std::int64_t bytes) {
    const std::lock_guard lock(gate_->mutex_);
    entry_->received += bytes;
}

bool GitGate::Pass::must_give_up() const {
    if (gate_->options_.most_slow <= 0) return false;
    const Instant now = gate_->clock_.now();
    const std::lock_guard lock(gate_->mutex_);
    if (!gate_->is_slow(*entry_, now)) return false;
    const auto older =
        std::count_if(gate_->entries_.cbegin(), std::list<Entry>::const_iterator(entry_),
                      [&](const Entry& entry) { return gate_->is_slow(entry, now); });
    return older >= gate_->options_.most_slow;
}

void GitGate::Pass::answered() {
    const std::lock_guard lock(gate_->mutex_);
    gate_->silent_.erase(entry_->origin);
}

void GitGate::Pass::in_vain(const std::string& why) {
    const std::lock_guard lock(gate_->mutex_);
    if (gate_->silent_.size() >= most_silent) gate_->silent_.clear();
    gate_->silent_[entry_->origin] = why;
}

std::string GitGate::last_failure(const std::string& origin) const {
    const std::lock_guard lock(mutex_);
    const auto it = silent_.find(origin);
    return it == silent_.end() ? std::string() : it->second;
}

}  // namespace atelier::drivers
