// From a method and a path to what is asked for. Pure.
#pragma once

#include <string>
#include <string_view>

#include "apiserver/http/http.h"
#include "apiserver/resources/catalog.h"

namespace atelier::apiserver {

enum class Endpoint {
    unknown,
    resource,         // of a kind: a collection, an object, or a subresource
    review,           // POST only
    plan,             // of plans, or of one org: apiserver/plans/forecast_service.h
    version,          // /version
    core_versions,    // /api
    groups,           // /apis
    group,            // /apis/{group}
    resources,        // /api/v1, /apis/{group}/{version}
    openapi_v2,       // /openapi/v2
    openapi_v3_root,  // /openapi/v3
    openapi_v3,       // /openapi/v3/{api/v1|apis/group/version}
    health,           // /healthz, /livez, /readyz, and one check below them
    metrics,          // /metrics
    webhook           // /webhooks/{namespace}/{name of the template}
};

// Of an Org: what its template changed.
inline constexpr std::string_view diff_subresource = "diff";

enum class Verb { get, list, watch, create, update, patch, remove, remove_collection, other };
std::string_view name_of(Verb verb);

struct Route {
    Endpoint endpoint = Endpoint::unknown;
    const crds::Kind* kind = nullptr;
    const Review* review = nullptr;
    GroupVersion gv;
    std::string ns;
    std::string name;         // of health: the check, or empty
    std::string subresource;  // status, finalize, diff, plan, apply, or empty
    std::string probe;        // of health: healthz, livez, readyz
    Verb verb = Verb::other;  // of resource, review and plan; other: the method does not fit (405)
    bool is_object() const { return !name.empty(); }
    Key key() const { return {kind->resource(), ns, name}; }
};

Route route(const Catalog& catalog, const Request& request);

}  // namespace atelier::apiserver
