// Plans: what would happen if some objects were applied, and having exactly that happen.
//
//     POST /apis/atelier.dev/v1alpha1/namespaces/NS/plans               {"spec": {"objects": […]}}
//     POST /apis/atelier.dev/v1alpha1/namespaces/NS/plans/TOKEN/apply
//     GET  /apis/atelier.dev/v1alpha1/namespaces/NS/orgs/NAME/plan
//
// A plan is created and never listed, like a review. Who makes them is given to the Api.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace atelier::apiserver {

// Blocks, perhaps for long. Called from several threads. Outlives the Api.
class ForecastService {
  public:
    virtual ~ForecastService() = default;
    // The Plan as an object, from its spec.
    virtual Result<json::Document> plan(const std::string& ns, const json::Value& spec) = 0;
    virtual Result<json::Document> plan_org(const std::string& ns, const std::string& org) = 0;
    // Code::conflict with a Cause for each thing that moved.
    virtual Result<json::Document> apply(const std::string& ns, const std::string& token) = 0;
};

// A few threads for what may not be done on a thread of the HTTP server. Thread-safe.
class WorkerPool {
  public:
    WorkerPool(std::size_t threads, std::size_t most_waiting)
        : threads_(threads), most_waiting_(most_waiting) {}
    ~WorkerPool() { stop(); }

    // Called on a thread of the desk with false; or with true, there or within stop(), when the
    // desk has closed before its turn came.
    using Work = std::function<void(bool closed)>;
    // False: too many wait already, or the desk is closed; the work is dropped.
    bool take(Work work);
    bool closed() const;
    // Waits for what is being done. Idempotent.
    void stop();

  private:
    void run();

    const std::size_t threads_;
    const std::size_t most_waiting_;
    mutable std::mutex mutex_;  // guards all below
    std::condition_variable wake_;
    std::deque<Work> waiting_;
    std::vector<std::thread> workers_;  // begun when first needed
    std::size_t idle_ = 0;
    bool closed_ = false;
};

}  // namespace atelier::apiserver
