#include "apiserver/documents/openapi.h"
#include "apiserver/resources/subresources.h"

namespace atelier::apiserver {
namespace {

struct Method {
    std::string_view method;
    std::string_view id;  // the first word of the operation's id
    std::string_view action;
};

Method method_of(Verb verb) {
    switch (verb) {
        case Verb::create:
            return {"post", "create", "post"};
        case Verb::update:
            return {"put", "replace", "put"};
        case Verb::patch:
            return {"patch", "patch", "patch"};
        case Verb::remove:
            return {"delete", "delete", "delete"};
        default:
            return {"get", "read", "get"};
    }
}

ApiPath subresource_path(const std::string& collection, const std::string& scope,
                         const crds::Kind& kind, const Subresource& subresource) {
    ApiPath path{collection + "/{name}/" + subresource.name, {}};
    std::string name = subresource.name;
    name[0] = static_cast<char>(name[0] - 'a' + 'A');
    for (const Verb verb : subresource.verbs) {
        const Method method = method_of(verb);
        path.operations.push_back(
            {std::string(method.method), std::string(method.id) + scope + kind.kind + name,
             std::string(subresource.streaming ? "connect" : method.action), &kind});
    }
    return path;
}

}  // namespace

std::vector<ApiPath> api_paths(const Catalog& catalog, const crds::Kind& kind) {
    const bool read_only = catalog.is_read_only(kind);
    const std::string root =
        kind.group.empty() ? "/api/" + kind.version : "/apis/" + kind.group + "/" + kind.version;
    const bool namespaced = kind.scope == crds::Scope::namespaced;
    const std::string scope = namespaced ? "Namespaced" : "";
    const std::string base = root + (namespaced ? "/namespaces/{namespace}/" : "/") + kind.plural;

    ApiPath collection{base, {{"get", "list" + scope + kind.kind, "list", &kind}}};
    ApiPath object{base + "/{name}", {{"get", "read" + scope + kind.kind, "get", &kind}}};
    std::vector<ApiPath> out;
    if (namespaced) {
        out.push_back({root + "/" + kind.plural,
                       {{"get", "list" + kind.kind + "ForAllNamespaces", "list", &kind}}});
    }
    if (!read_only) {
        collection.operations.push_back({"post", "create" + scope + kind.kind, "post", &kind});
        collection.operations.push_back(
            {"delete", "deleteCollection" + scope + kind.kind, "deletecollection", &kind});
        object.operations.push_back({"put", "replace" + scope + kind.kind, "put", &kind});
        object.operations.push_back({"patch", "patch" + scope + kind.kind, "patch", &kind});
        object.operations.push_back({"delete", "delete" + scope + kind.kind, "delete", &kind});
    }
    out.push_back(std::move(collection));
    out.push_back(std::move(object));
    for (const Subresource& subresource : subresources_of(catalog, kind.resource())) {
        out.push_back(subresource_path(base, scope, kind, subresource));
    }
    return out;
}

}  // namespace atelier::apiserver
