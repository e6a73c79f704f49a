// OpenAPI of what is served: version 3 as JSON per group and version, and version 2 as the protobuf
// of gnostic, which kubectl before 1.29 needs, and as JSON. Both from the one schema of each kind.
// https://kubernetes.io/docs/concepts/overview/kubernetes-api/#openapi-interface-definition
#pragma once

#include <map>
#include <string>
#include <vector>

#include "apiserver/documents/discovery.h"
#include "apiserver/resources/catalog.h"
#include "base/json.h"

namespace atelier::apiserver {

// One method on one path.
struct ApiOperation {
    std::string method;  // lower case
    std::string id;
    std::string action;  // Kubernetes' verb: list, post, get, put, patch, delete, deletecollection
    const crds::Kind* kind = nullptr;
};
struct ApiPath {
    std::string path;  // with {namespace} and {name}
    std::vector<ApiOperation> operations;
};
// Of the collection, the object and its subresources.
std::vector<ApiPath> api_paths(const Catalog& catalog, const crds::Kind& kind);

// "dev.atelier.v1alpha1.Workspace", "io.k8s.api.core.v1.Secret".
std::string definition_name(const crds::Kind& kind);
// [{"group":…,"version":…,"kind":…}] or, of an operation, the object alone.
std::string gvk_json(const crds::Kind& kind);

// The definitions that the kinds of one group and version need, by name, in version 3 form, with
// references to "#/components/schemas/".
json::Document definitions(const Catalog& catalog, const std::vector<const crds::Kind*>& kinds);

// The version 2 document as gnostic's protobuf.
std::string openapi_v2_protobuf(const Catalog& catalog, const std::string& version);
std::string openapi_v2_json(const Catalog& catalog, const std::string& version);

class OpenApi {
  public:
    OpenApi(const Catalog& catalog, const std::string& version);

    const StaticAnswer& v2() const { return v2_; }  // protobuf
    const StaticAnswer& v2_json() const { return v2_json_; }
    const StaticAnswer& v3_root() const { return v3_root_; }
    const StaticAnswer* v3(const GroupVersion& gv) const;
    // Where the document is, with its hash: "/openapi/v3/apis/atelier.dev/v1alpha1?hash=…".
    static std::string v3_url(const GroupVersion& gv, const StaticAnswer& document);
    static std::string hash_of(const StaticAnswer& document);

  private:
    StaticAnswer v2_;
    StaticAnswer v2_json_;
    StaticAnswer v3_root_;
    std::map<GroupVersion, StaticAnswer> v3_;
};

}  // namespace atelier::apiserver
