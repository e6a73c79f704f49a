#include "controllers/core.h"

#include <algorithm>

namespace atelier::controllers {
namespace {

constexpr std::size_t events_at_once = 1000;
constexpr Duration most_slew = std::chrono::seconds(5);  // less than that corrects itself

}  // namespace

bool is_terminal(Code code) {
    return code == Code::invalid || code == Code::forbidden || code == Code::unsupported;
}

Core::Core(reconcilers::Reconciler& reconciler, const store::Store& store, Random& random,
           CoreOptions options)
    : reconciler_(reconciler),
      store_(store),
      random_(random),
      options_(options),
      resource_(reconciler.resource()),
      interests_(reconciler.interests()),
      interest_cursors_(interests_.size(), 0),
      backoff_(options.backoff) {}

std::vector<Key> Core::feed() {
    // The cursors of the interests start where the first list of our own ends: that list already
    // wakes every key.
    std::vector<Key> keys = feed_own();
    for (std::size_t i = 0; i < interests_.size(); ++i) feed_interest(i, keys);
    std::sort(keys.begin(), keys.end());
    keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
    return keys;
}

std::vector<Key> Core::feed_own() {
    std::vector<Key> keys;
    const auto list_all = [&] {
        const auto snapshot = store_.list(resource_);
        for (const auto& object : snapshot->objects) keys.push_back(object->key);
        own_cursor_ = snapshot->revision;
        std::fill(interest_cursors_.begin(), interest_cursors_.end(), snapshot->revision);
    };
    if (!own_cursor_) {
        list_all();
        return keys;
    }
    while (true) {
        const auto events = store_.events(resource_, *own_cursor_, events_at_once);
        if (!events) {
            list_all();
            return keys;
        }
        for (const auto& event : *events) {
            if (reconciler_.concerns(*event)) keys.push_back(event->object->key);
            own_cursor_ = event->revision;
        }
        if (events->size() < events_at_once) return keys;
    }
}

void Core::feed_interest(std::size_t index, std::vector<Key>& keys) {
    const reconcilers::Interest& interest = interests_[index];
    Revision& cursor = interest_cursors_[index];
    while (true) {
        const auto events = store_.events(interest.resource, cursor, events_at_once);
        if (!events) {
            // Changes were missed: every key of ours may be concerned.
            const auto snapshot = store_.list(resource_);
            for (const auto& object : snapshot->objects) keys.push_back(object->key);
            cursor = store_.list(interest.resource)->revision;
            return;
        }
        for (const auto& event : *events) {
            const auto woken = interest.keys(*event, store_);
            keys.insert(keys.end(), woken.begin(), woken.end());
            cursor = event->revision;
        }
        if (events->size() < events_at_once) return;
    }
}

std::optional<Key> Core::take(Instant now) {
    if (latest_ > Instant::min() && now < latest_ - most_slew) {
        queue_.bring_forward(latest_ - now);
        latest_ = now;
    }
    latest_ = std::max(latest_, now);
    return queue_.take(now);
}

Verdict Core::finish(const Key& key, const Result<reconcilers::Outcome>& outcome, Instant now) {
    queue_.done(key);
    const double spread = 0.9 + 0.2 * unit_interval(random_);
    const Instant resync_at =
        now +
        Duration{static_cast<Duration::rep>(static_cast<double>(options_.resync.count()) * spread)};
    if (outcome) {
        backoff_.forget(key);
        if (!store_.get(key)) return Verdict::success;
        const bool wakes = outcome->wake_at && *outcome->wake_at < resync_at;
        queue_.add(key, wakes ? *outcome->wake_at : resync_at);
        return wakes ? Verdict::requeue_after : Verdict::success;
    }
    if (is_terminal(outcome.error().code)) {
        backoff_.forget(key);
        if (store_.get(key)) queue_.add(key, resync_at);
        return Verdict::terminal_error;
    }
    const Duration wait = backoff_.fail(key, random_);
    queue_.add(key, now + wait);
    // Somebody else wrote first: not a failure, only a reason to read again.
    return outcome.error().code == Code::conflict ? Verdict::requeue : Verdict::error;
}

}  // namespace atelier::controllers
