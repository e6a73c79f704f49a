// The Kubernetes API of Atelier: what kubectl and client libraries talk to.
//
// Reads are answered from the store's memory on the caller's thread. Writes are decoded and
// admitted on a pool of threads, and answered from the store's own thread once they are durable.
// Plans are computed on threads of their own. No call blocks.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "apiserver/documents/health.h"
#include "apiserver/http/http.h"
#include "apiserver/identity/authentication.h"
#include "apiserver/plans/plans.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/random.h"
#include "base/result.h"
#include "crds/kind.h"
#include "store/store.h"

namespace atelier::apiserver {

struct ApiOptions {
    std::vector<Credential> credentials;
    std::string version = "0.1.0";      // of Atelier
    std::string kubernetes = "1.32.0";  // whose API this speaks; kubectl checks its own age by it
    std::string commit;                 // of the source, when known
    std::string address = "127.0.0.1:6443";  // host:port, as clients reach this server
    std::vector<HealthCheck> live;           // for /livez
    std::vector<HealthCheck> ready;          // for /readyz and /healthz, beside the store
    bool open_metrics = true;                // /metrics without a token
    // Compares two revisions of a template; absent: such requests are answered with 404.
    RevisionDiff revision_diff;
    // However often its webhook is called, a template is reconciled for that at most once per
    // pause.
    Duration webhook_pause = std::chrono::seconds(5);
    // Watches and webhooks are served by threads of their own; otherwise by calls of pump().
    bool own_thread = true;
    ForecastService* planner = nullptr;  // without one, requests for plans are answered with 503
};

// Thread-safe. All collaborators outlive it.
class Api {
  public:
    Api(store::Store& store, const crds::Kinds& kinds, const Clock& clock, Random& random,
        Metrics& metrics, Log log, ApiOptions options);
    ~Api();  // as stop()

    // Usable as a Handler. The answer may come later, from another thread.
    void handle(Request request, std::shared_ptr<ResponseSink> sink);
    Handler handler();
    // Usable as a HeadCheck: bodies are read only from clients that are known, and, within a small
    // bound, by the paths that are open to everybody.
    HeadVerdict check_head(const Request& head) const;
    HeadCheck head_check();

    // Creates the namespace "default" unless it exists. Waits for the store.
    Result<void> seed();

    // Delivers what watches and webhooks have to deliver now; with own_thread false.
    void pump();
    // Ends all watches as at their timeout, and waits for the plans and the writes that are being
    // computed. Reads are still answered; writes and plans get 503. Idempotent.
    void stop();

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace atelier::apiserver
