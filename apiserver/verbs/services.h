// What the verbs work with: made once by Api, passed to each.
#pragma once

#include <memory>

#include "apiserver/present/representation.h"
#include "apiserver/request/call.h"
#include "apiserver/request/request_metrics.h"
#include "apiserver/request/worker_pool.h"
#include "apiserver/resources/catalog.h"
#include "apiserver/resources/objects.h"
#include "apiserver/verbs/list_answers.h"
#include "apiserver/watch/hub.h"
#include "base/random.h"

namespace atelier::apiserver {

// Thread-safe. Every write under way holds a reference, since the store may answer it after the Api
// is gone; the store and the other collaborators outlive that.
struct Services : std::enable_shared_from_this<Services> {
    Services(store::Store& store, const crds::Kinds& kinds, const Clock& clock, Random& random,
             Metrics& metrics, Log log, bool threads);

    // Runs `work` on a thread of the pool, or on the caller's when the Api has no threads of its
    // own. Decoding, patching and admission cost milliseconds, for which the threads of the HTTP
    // server and of the store may not be held. False: too much waits, or the Api has stopped, and
    // the work was dropped. When the Api stops before the work's turn, it is called with true.
    bool compute(WorkerPool::Work work);
    // As compute, for a call: when it cannot be run the call is answered with 429 or 503.
    void compute(const CallPtr& call, std::function<void()> work);

    const bool own_thread;
    store::Store& store;
    const Clock& clock;
    Random& random;
    Log log;
    Catalog catalog;
    Objects objects;
    Presenter presenter;
    RequestMetrics request_metrics;
    ListAnswers lists{96u << 20};
    WatchHub watches;
    WorkerPool admissions{"admission", 2, 512};
    std::unique_ptr<store::Subscription> subscription;  // wakes `watches`; last: ends first
};

}  // namespace atelier::apiserver
