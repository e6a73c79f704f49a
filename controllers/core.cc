#include "controllers/core.h"

#include <algorithm>

namespace atelier::controllers {
namespace {

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
      own_(store, resource_),
      backoff_(options.backoff) {
    for (const auto& interest : interests_) {
        interest_followers_.emplace_back(store, interest.resource);
    }
}

std::vector<Key> Core::feed() {
    std::vector<Key> keys;
    feed_own(keys);
    for (std::size_t i = 0; i < interests_.size(); ++i) feed_interest(i, keys);
    std::sort(keys.begin(), keys.end());
    keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
    return keys;
}

void Core::feed_own(std::vector<Key>& keys) {
    const auto listed = [&](const store::Snapshot& snapshot) {
        for (const auto& object : snapshot.objects) keys.push_back(object->key);
        // This wakes every key, so that what happened to other resources before is covered.
        for (Follower& interest : interest_followers_) interest.start_after(snapshot.revision);
    };
    own_.follow(listed, [&](const store::Event& event) {
        if (reconciler_.concerns(event)) keys.push_back(event.object->key);
    });
}

void Core::feed_interest(std::size_t index, std::vector<Key>& keys) {
    const auto listed = [&](const store::Snapshot&) {
        // Changes were missed, and any key may depend on them.
        const auto own = store_.list(resource_);
        for (const auto& object : own->objects) keys.push_back(object->key);
    };
    interest_followers_[index].follow(listed, [&](const store::Event& event) {
        const auto woken = interests_[index].keys(event, store_);
        keys.insert(keys.end(), woken.begin(), woken.end());
    });
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
