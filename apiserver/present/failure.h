// Failures as Kubernetes reports them: a Status object and its HTTP code.
// https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "crds/kind.h"

namespace atelier::apiserver {

struct Failure {
    int status = 500;
    std::string reason = "InternalError";  // Kubernetes' word for it
    std::string message;
    // details; `kind` is the plural resource, except with 422, where it is the Kind.
    std::string name = {};
    std::string group = {};
    std::string kind = {};
    std::vector<Cause> causes = {};
    int retry_after = 0;              // seconds; 0: no such header
    std::string continue_token = {};  // with 410 of a paged list: where to go on
};

// The Status object, as a body or as the object of an ERROR event.
std::string status_json(const Failure& failure);
// The Status object of a deletion that is done.
std::string deleted_status_json(const crds::Kind& kind, std::string_view name,
                                std::string_view uid);

// The Failure that Kubernetes would answer for an Error. Code::invalid with causes is 422, without
// is 400. `kind` is nullptr for an error that is about no resource.
Failure failure_of(const Error& error, const crds::Kind* kind, std::string_view name);

Failure bad_request(std::string message);
Failure unknown_path();
Failure not_found(const crds::Kind& kind, std::string_view name);
Failure method_not_allowed(std::string_view method);
Failure not_acceptable(std::string_view accepted);
Failure unsupported_media_type(std::string_view accepted);
// 429, to be tried again in a second.
Failure too_many_requests(std::string message);
// 409: another write to the object came first.
Failure modified(const crds::Kind& kind, std::string_view name);
Failure expired(std::string message);

}  // namespace atelier::apiserver
