#include "apiserver/resources/subresources.h"

#include "apiserver/request/router.h"

namespace atelier::apiserver {

std::vector<Subresource> subresources_of(const Catalog& catalog, const crds::Kind& kind) {
    const bool is_namespace = kind.resource() == "namespaces";
    std::vector<Subresource> all;
    if (is_namespace) all.push_back({"finalize", "update"});
    if (kind.status_subresource || is_namespace) {
        all.push_back({"status", catalog.is_definition(kind) ? "get" : "get,patch,update"});
    }
    if (kind.resource() == "orgs.atelier.dev") {
        all.push_back({diff_subresource, "get"});
        all.push_back({plan_subresource, "get"});
    }
    return all;
}

}  // namespace atelier::apiserver
