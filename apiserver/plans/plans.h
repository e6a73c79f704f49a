// Plans: what would happen if some objects were applied, and having exactly that happen.
//
//     POST /apis/atelier.dev/v1alpha1/namespaces/NS/plans               {"spec": {"objects": […]}}
//     POST /apis/atelier.dev/v1alpha1/namespaces/NS/plans/TOKEN/apply
//     GET  /apis/atelier.dev/v1alpha1/namespaces/NS/orgs/NAME/plan
//     GET  /apis/atelier.dev/v1alpha1/namespaces/NS/orgs/NAME/diff?since=REVISION&to=REVISION
//
// A plan is created and never listed, like a review.
#pragma once

#include <functional>
#include <string>

#include "apiserver/plans/forecast_service.h"
#include "apiserver/request/call.h"
#include "apiserver/request/worker_pool.h"

namespace atelier::apiserver {

// What a template changed between two of its revisions, for one Org that runs it. `since` empty:
// the revision that runs; `to` empty: the newest.
struct RevisionQuestion {
    std::string ns;
    std::string org;
    std::string since;
    std::string to;
};
// The answer as JSON. May block.
using RevisionDiff = std::function<Result<std::string>(const RevisionQuestion&)>;

// Thread-safe. Each answer is computed on a thread of its own pools; when too many wait, the
// answer is 429.
class Plans {
  public:
    struct Options {
        ForecastService* service =
            nullptr;                 // without one, requests for plans are answered with 503
        RevisionDiff revision_diff;  // without one, there is no such path: 404
        bool own_thread = true;      // else revision_diff runs on the caller's thread
    };
    Plans(Options options, Log log);

    void answer_forecast(const CallPtr& call);
    void answer_revision_diff(const CallPtr& call);
    // Waits for the answers that are being computed; what waits is answered with 503. Idempotent.
    void stop();

  private:
    using Work = std::function<Result<json::Document>(ForecastService&)>;
    void hand_over(const CallPtr& call, int status, Work work);
    void make(const CallPtr& call);

    const Options options_;
    const Log log_;
    WorkerPool forecasts_{"plans", 2, 8};
    WorkerPool comparisons_{"comparisons", 1, 16};
};

}  // namespace atelier::apiserver
