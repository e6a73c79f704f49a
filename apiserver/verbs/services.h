// What the verbs work with: made once by Api, passed to each.
#pragma once

#include <memory>

#include "apiserver/present/representation.h"
#include "apiserver/request/call.h"
#include "apiserver/request/request_metrics.h"
#include "apiserver/resources/catalog.h"
#include "apiserver/resources/objects.h"
#include "apiserver/watch/hub.h"
#include "base/random.h"

namespace atelier::apiserver {

// Thread-safe. Every write under way holds a reference, since the store may answer it after the Api
// is gone; the store and the other collaborators outlive that.
struct Services : std::enable_shared_from_this<Services> {
    Services(store::Store& store, const crds::Kinds& kinds, const Clock& clock, Random& random,
             Metrics& metrics, Log log, bool own_thread);

    store::Store& store;
    const Clock& clock;
    Random& random;
    Log log;
    Catalog catalog;
    Objects objects;
    Presenter presenter;
    RequestMetrics request_metrics;
    WatchHub watches;
    std::unique_ptr<store::Subscription> subscription;  // wakes `watches`; last: ends first
};

}  // namespace atelier::apiserver
