// The motor of a controller: one feeder thread that turns the store's changes into keys, and
// workers that take keys and reconcile them. Metrics have controller-runtime's names
// (https://book.kubebuilder.io/reference/metrics-reference).
#pragma once

#include <memory>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/random.h"
#include "controllers/core.h"
#include "reconcilers/reconciler.h"
#include "store/store.h"

namespace atelier::controllers {

struct ControllerOptions {
    int workers = 2;
    // A worker that sleeps until a key is due reads the clock again at least this often.
    Duration recheck = std::chrono::seconds(5);
    CoreOptions core;
};

// Thread-safe. Runs from start() until stop() or its destruction. Collaborators outlive it.
class Controller {
  public:
    Controller(reconcilers::Reconciler& reconciler, store::Store& store, const Clock& clock,
               Random& random, Metrics& metrics, Log log, ControllerOptions options);
    ~Controller();

    void start();
    // Takes no key any more, and returns when the keys in work are finished. No metric changes
    // afterwards.
    void stop();
    // Reconciles this object now: something outside the store happened to it.
    void hint(const Key& key);
    // Reconciles every object: what is outside the store may have changed without a notice.
    void hint_all();

  private:
    struct State;
    std::shared_ptr<State> state_;  // shared with the metrics' sampler
};

}  // namespace atelier::controllers
