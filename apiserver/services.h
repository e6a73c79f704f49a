// What the verbs work with: made once by Api, passed to each.
#pragma once

#include <memory>

#include "apiserver/api.h"
#include "apiserver/documents/discovery.h"
#include "apiserver/documents/openapi.h"
#include "apiserver/identity/authentication.h"
#include "apiserver/plans/forecast_service.h"
#include "apiserver/present/representation.h"
#include "apiserver/request/call.h"
#include "apiserver/request/request_metrics.h"
#include "apiserver/resources/catalog.h"
#include "apiserver/resources/objects.h"
#include "apiserver/watch/hub.h"
#include "apiserver/webhooks/debouncer.h"
#include "base/random.h"

namespace atelier::apiserver {

// Held by every write that is under way, which may be answered after the Api is gone.
struct Services : std::enable_shared_from_this<Services> {
    Services(store::Store& store, const crds::Kinds& kinds, const Clock& clock, Random& random,
             Metrics& metrics, Log log, ApiOptions options);

    const ApiOptions options;
    store::Store& store;
    const Clock& clock;
    Random& random;
    Metrics& metrics;
    Log log;
    Catalog catalog;
    Objects objects;
    Presenter presenter;
    Discovery discovery;
    OpenApi openapi;
    Authentication authentication;
    RequestMetrics request_metrics;
    WatchHub watches;
    Debouncer debouncer;
    WorkerPool forecast_workers{2, 8};                  // of plans
    WorkerPool comparisons{1, 16};                      // of revisions
    std::unique_ptr<store::Subscription> subscription;  // last: ends first
};

}  // namespace atelier::apiserver
