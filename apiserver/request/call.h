// One request under way: the request, its route and user, and the way to answer it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "apiserver/http/http.h"
#include "apiserver/identity/authentication.h"
#include "apiserver/present/failure.h"
#include "apiserver/present/representation.h"
#include "apiserver/request/query.h"
#include "apiserver/request/request_metrics.h"
#include "apiserver/request/router.h"
#include "base/log.h"

namespace atelier::apiserver {

// Answered exactly once, from any thread. Kept alive by the code that still has to answer it.
class Call {
  public:
    Call(Request request, std::shared_ptr<ResponseSink> sink, const Clock& clock,
         RequestMetrics& metrics, Log log);

    Request request;
    Route route;
    User user;
    View view;  // the form of the answer
    WriteOptions options;
    std::vector<std::string> warnings;  // sent with the answer

    const crds::Kind& kind() const { return *route.kind; }

    void body(int status, std::string_view content_type, Frame body, Headers more = {});
    void json(int status, std::string text);
    void text(int status, std::string text);
    void fail(const Failure& failure);
    void fail(const Error& error);  // about the object or collection of the route
    // Begins a streamed answer.
    std::shared_ptr<ResponseSink> stream();

  private:
    Headers headers(std::string_view content_type) const;
    void record(int status);

    std::shared_ptr<ResponseSink> sink_;
    const Clock& clock_;
    RequestMetrics& metrics_;
    Log log_;
    Instant begun_;
};
using CallPtr = std::shared_ptr<Call>;

}  // namespace atelier::apiserver
