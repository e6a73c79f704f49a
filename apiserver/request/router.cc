#include "apiserver/request/router.h"

#include <optional>
#include <span>

#include "apiserver/request/query.h"

namespace atelier::apiserver {
namespace {

using Segments = std::vector<std::string>;

bool is_read(std::string_view method) {
    return method == "GET" || method == "HEAD";
}

// The answer to a watch does not end, so HEAD has none to give the head of.
Verb verb_of_read(const Request& request, Verb once) {
    if (!query_flag(request, "watch")) return once;
    return request.method == "HEAD" ? Verb::other : Verb::watch;
}

Verb verb_of_collection(const Request& request) {
    const std::string& method = request.method;
    if (is_read(method)) return verb_of_read(request, Verb::list);
    if (method == "POST") return Verb::create;
    return method == "DELETE" ? Verb::remove_collection : Verb::other;
}

Verb verb_of_object(const Request& request) {
    const std::string& method = request.method;
    if (is_read(method)) return verb_of_read(request, Verb::get);
    if (method == "PUT") return Verb::update;
    if (method == "PATCH") return Verb::patch;
    return method == "DELETE" ? Verb::remove : Verb::other;
}

Verb verb_of_subresource(const Subresource& subresource, const std::string& method) {
    Verb verb = Verb::other;
    if (method == "GET" || (method == "HEAD" && !subresource.streaming)) verb = Verb::get;
    if (method == "POST") verb = Verb::create;
    if (method == "PUT") verb = Verb::update;
    if (method == "PATCH") verb = Verb::patch;
    if (method == "DELETE") verb = Verb::remove;
    return subresource.has(verb) ? verb : Verb::other;
}

// plans and plans/{token}/apply, of a namespace. nullopt: neither of them.
std::optional<Route> plan_route(const Catalog& catalog, Route out,
                                std::span<const std::string> rest, const Request& request) {
    if (out.gv.group != crds::group || out.gv.version != crds::version || rest[0] != "plans") {
        return std::nullopt;
    }
    out.endpoint = Endpoint::plan;
    out.handler = SubresourceHandler::forecast;
    if (rest.size() == 1) {
        out.verb = request.method == "POST" ? Verb::create : Verb::other;
        return out;
    }
    if (rest.size() != 3) return std::nullopt;
    const auto subresource = find_subresource(catalog, plans_resource, rest[2]);
    if (!subresource) return std::nullopt;
    out.name = rest[1];
    out.subresource = subresource->name;
    out.verb = verb_of_subresource(*subresource, request.method);
    return out;
}

// Fills the verb, and of a subresource its name and handler. False: there is no such subresource.
bool set_verb(const Catalog& catalog, Route& out, std::span<const std::string> rest,
              const Request& request) {
    if (rest.size() < 3) {
        out.verb = out.is_object() ? verb_of_object(request) : verb_of_collection(request);
        return true;
    }
    const auto subresource = find_subresource(catalog, out.kind->resource(), rest[2]);
    if (!subresource) return false;
    out.subresource = subresource->name;
    out.handler = subresource->handler;
    out.verb = verb_of_subresource(*subresource, request.method);
    return true;
}

// rest: what follows /api/v1 or /apis/{group}/{version}; not empty.
Route resource_route(const Catalog& catalog, GroupVersion gv, std::span<const std::string> rest,
                     const Request& request) {
    Route out;
    out.gv = gv;
    // A namespace's own subresources look like collections in it.
    const bool of_namespace = gv.group.empty() && rest[0] == "namespaces" && rest.size() == 3 &&
                              find_subresource(catalog, "namespaces", rest[2]);
    const bool namespaced = rest[0] == "namespaces" && rest.size() >= 3 && !of_namespace;
    if (namespaced) {
        out.ns = rest[1];
        rest = rest.subspan(2);
    }
    if (rest.size() > 3) return {};
    if (namespaced) {
        if (const auto plan = plan_route(catalog, out, rest, request)) return *plan;
    }
    if (const Review* review = Catalog::find_review(gv.group, gv.version, rest[0]);
        review && rest.size() == 1 && !namespaced) {
        out.endpoint = Endpoint::review;
        out.review = review;
        out.verb = request.method == "POST" ? Verb::create : Verb::other;
        return out;
    }
    out.kind = catalog.find(gv.group, gv.version, rest[0]);
    if (!out.kind) return {};
    if (rest.size() > 1) out.name = rest[1];
    const bool needs_namespace = out.kind->scope == crds::Scope::namespaced;
    if (namespaced && !needs_namespace) return {};
    if (!namespaced && needs_namespace && out.is_object()) return {};
    out.endpoint = Endpoint::resource;
    if (!set_verb(catalog, out, rest, request)) return {};
    // Over all namespaces there is only reading.
    if (!namespaced && needs_namespace && out.verb != Verb::list && out.verb != Verb::watch) {
        out.verb = Verb::other;
    }
    if (catalog.is_read_only(*out.kind) && out.verb != Verb::get && out.verb != Verb::list &&
        out.verb != Verb::watch) {
        out.verb = Verb::other;
    }
    return out;
}

bool serves(const Catalog& catalog, const GroupVersion& gv) {
    for (const GroupVersion& known : catalog.group_versions()) {
        if (known == gv) return true;
    }
    return false;
}

Route api_route(const Catalog& catalog, const Request& request) {
    const Segments& s = request.segments;
    Route out;
    const bool core = s[0] == "api";
    const std::size_t prefix = core ? 2 : 3;
    if (s.size() == 1) {
        out.endpoint = core ? Endpoint::core_versions : Endpoint::groups;
        return out;
    }
    if (!core && s.size() == 2) {
        out.gv.group = s[1];
        for (const GroupVersion& known : catalog.group_versions()) {
            if (known.group == s[1]) out.endpoint = Endpoint::group;
        }
        return out;
    }
    out.gv = core ? GroupVersion{"", s[1]} : GroupVersion{s[1], s[2]};
    if (!serves(catalog, out.gv) || (!core && s[1].empty())) return {};
    if (s.size() == prefix) {
        out.endpoint = Endpoint::resources;
        return out;
    }
    return resource_route(catalog, out.gv, std::span(s).subspan(prefix), request);
}

Route openapi_route(const Catalog& catalog, const Segments& s) {
    Route out;
    if (s.size() == 2 && s[1] == "v2") out.endpoint = Endpoint::openapi_v2;
    if (s.size() == 2 && s[1] == "v3") out.endpoint = Endpoint::openapi_v3_root;
    if (s.size() == 4 && s[1] == "v3" && s[2] == "api") out.gv = {"", s[3]};
    if (s.size() == 5 && s[1] == "v3" && s[2] == "apis") out.gv = {s[3], s[4]};
    if (s.size() >= 4 && serves(catalog, out.gv)) out.endpoint = Endpoint::openapi_v3;
    return out;
}

}  // namespace

Route route(const Catalog& catalog, const Request& request) {
    const Segments& s = request.segments;
    Route out;
    if (s.empty()) {
        out.endpoint = Endpoint::root;
        return out;
    }
    if (s[0] == "api" || s[0] == "apis") return api_route(catalog, request);
    if (s[0] == "openapi") return openapi_route(catalog, s);
    if (s[0] == "healthz" || s[0] == "livez" || s[0] == "readyz") {
        if (s.size() > 2) return out;
        out.endpoint = Endpoint::health;
        out.probe = s[0];
        if (s.size() == 2) out.name = s[1];
    }
    if (s.size() == 3 && s[0] == "webhooks") {
        out.endpoint = Endpoint::webhook;
        out.ns = s[1];
        out.name = s[2];
    }
    if (s.size() == 1 && s[0] == "version") out.endpoint = Endpoint::version;
    if (s.size() == 1 && s[0] == "metrics") out.endpoint = Endpoint::metrics;
    return out;
}

}  // namespace atelier::apiserver
