// What the verbs work with: made once by Api, passed to each.
#pragma once

#include <memory>

#include "apiserver/api.h"
#include "apiserver/authentication.h"
#include "apiserver/call.h"
#include "apiserver/catalog.h"
#include "apiserver/discovery.h"
#include "apiserver/hasten.h"
#include "apiserver/objects.h"
#include "apiserver/openapi.h"
#include "apiserver/plans.h"
#include "apiserver/representation.h"
#include "apiserver/request_metrics.h"
#include "apiserver/watch_hub.h"
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
    Hastener hastener;
    Desk desk{2, 8};                                    // of plans
    Desk comparisons{1, 16};                            // of revisions
    std::unique_ptr<store::Subscription> subscription;  // last: ends first
};

}  // namespace atelier::apiserver
