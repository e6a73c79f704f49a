#include "cmd/garbage_loop.h"

#include <pthread.h>

#include <algorithm>

namespace atelier::cmd {

GarbageLoop::GarbageLoop(store::Store& store, const crds::Kinds& kinds,
                         drivers::TreeCollection& trees, const Clock& clock, Metrics& metrics,
                         const Log& log)
    : garbage_(store, kinds, log), trees_(store, kinds, trees, metrics, log, {}), clock_(clock) {
    subscription_ = store.on_commit([this](Revision) {
        {
            const std::lock_guard lock(mutex_);
            changed_ = true;
        }
        wake_.notify_one();
    });
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

GarbageLoop::~GarbageLoop() {
    thread_.request_stop();
    thread_.join();
    subscription_.reset();
}

void GarbageLoop::run(const std::stop_token& stop) {
    pthread_setname_np(pthread_self(), "garbage");
    while (!stop.stop_requested()) {
        {
            const std::lock_guard lock(mutex_);
            changed_ = false;
        }
        if (garbage_.collect(clock_.now())) continue;
        trees_.collect(clock_.now());
        const Instant due = std::min(garbage_.next_sweep(), trees_.next());
        std::unique_lock lock(mutex_);
        // Short enough that a step of the clock, or a machine that slept, delays no sweep.
        const Duration left = std::min<Duration>(due - clock_.now(), std::chrono::minutes(1));
        wake_.wait_for(lock, stop, left, [&] { return changed_; });
    }
}

}  // namespace atelier::cmd
