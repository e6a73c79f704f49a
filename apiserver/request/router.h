// From a method and a path to what is asked for. Pure.
#pragma once

#include <string>

#include "apiserver/http/http.h"
#include "apiserver/resources/catalog.h"
#include "apiserver/resources/subresources.h"
#include "apiserver/resources/verb.h"

namespace atelier::apiserver {

enum class Endpoint {
    unknown,
    resource,         // of a kind: a collection, an object, or a subresource
    review,           // POST only
    plan,             // of plans, which are made and never stored
    root,             // /
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

struct Route {
    Endpoint endpoint = Endpoint::unknown;
    const crds::Kind* kind = nullptr;
    const Review* review = nullptr;
    GroupVersion gv;
    std::string ns;
    std::string name;         // of health: the check, or empty
    std::string subresource;  // a name of the registry (resources/subresources.h), or empty
    SubresourceHandler handler = SubresourceHandler::object;  // who answers; of a subresource
    std::string probe;                                        // of health: healthz, livez, readyz
    Verb verb = Verb::other;  // of resource, review and plan; other: the method does not fit (405)
    bool is_object() const { return !name.empty(); }
    Key key() const { return {kind->resource(), ns, name}; }
};

// Never fails: what is not served has Endpoint::unknown (404) or Verb::other (405).
Route route(const Catalog& catalog, const Request& request);

}  // namespace atelier::apiserver
