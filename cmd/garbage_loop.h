// The thread that collects garbage.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "controllers/garbage.h"
#include "crds/kind.h"
#include "drivers/trees/tree_store.h"
#include "reconcilers/tree_garbage.h"
#include "store/store.h"

namespace atelier::cmd {

// Collects objects without an owner after every commit, and trees that no object names at intervals
// (reconcilers::TreeGarbage), on one thread. Everything that is given must outlive it.
class GarbageLoop {
  public:
    GarbageLoop(store::Store& store, const crds::Kinds& kinds, drivers::TreeCollection& trees,
                const Clock& clock, Metrics& metrics, const Log& log);
    ~GarbageLoop();  // ends the thread

  private:
    void run(const std::stop_token& stop);

    controllers::Garbage garbage_;
    reconcilers::TreeGarbage trees_;
    const Clock& clock_;
    std::mutex mutex_;
    std::condition_variable_any wake_;
    bool changed_ = true;  // guarded by mutex_: there was a commit since the last collection began
    std::unique_ptr<store::Subscription> subscription_;
    std::jthread thread_;
};

}  // namespace atelier::cmd
