#include "apiserver/documents/documents.h"

#include <chrono>
#include <set>

#include "apiserver/http/message.h"
#include "base/json_text.h"
#include "base/text.h"

namespace atelier::apiserver {
namespace {

// The body is sent unless the client has the document already.
void answer_static(Call& call, const StaticAnswer& answer, Headers more = {}) {
    more.emplace_back("ETag", answer.etag);
    more.emplace_back("Vary", "Accept");
    const std::string_view known = call.request.header("if-none-match");
    const bool same =
        !known.empty() && (known == "*" || known.find(answer.etag) != std::string_view::npos);
    static const Frame nothing = std::make_shared<const std::string>();
    // The answer lives as long as the server; only its bytes are shared.
    Frame body = same ? nothing : Frame(Frame(), &answer.body);
    call.body(same ? 304 : 200, answer.content_type, std::move(body), std::move(more));
}

void answer_openapi_v2(const OpenApi& openapi, Call& call) {
    const auto protobuf = negotiate_openapi_v2(call.request.header("accept"));
    if (!protobuf) {
        return call.fail(not_acceptable(
            "application/json, application/com.github.proto-openapi.spec.v2@v1.0+protobuf"));
    }
    answer_static(call, *protobuf ? openapi.v2() : openapi.v2_json());
}

// {"paths":["/api",…]}, as kube-apiserver lists what it serves at "/".
StaticAnswer root_paths(const Catalog& catalog) {
    std::set<std::string> paths{"/api",        "/apis",       "/healthz", "/livez",  "/metrics",
                                "/openapi/v2", "/openapi/v3", "/readyz",  "/version"};
    for (const GroupVersion& gv : catalog.group_versions()) {
        if (!gv.group.empty()) paths.insert("/apis/" + gv.group);
        paths.insert((gv.group.empty() ? "/api/" : "/apis/") + gv.text());
    }
    std::string out = "{\"paths\":[";
    for (const std::string& path : paths) {
        if (out.back() != '[') out += ',';
        out += quoted(path);
    }
    return static_answer(out + "]}\n");
}

}  // namespace

Documents::Documents(const Catalog& catalog, const Clock& clock, Options options)
    : clock_(clock),
      options_(std::move(options)),
      root_(root_paths(catalog)),
      discovery_(catalog, options_.address),
      openapi_(catalog, options_.version) {}

void Documents::answer_openapi_v3(Call& call) const {
    const StaticAnswer* document = openapi_.v3(call.route.gv);
    if (!document) return call.fail(unknown_path());
    const std::string hash = query_text(call.request, "hash");
    if (hash.empty()) return answer_static(call, *document);
    if (hash != OpenApi::hash_of(*document)) {
        return call.body(301, "text/plain; charset=utf-8", std::make_shared<const std::string>(),
                         {{"Location", OpenApi::v3_url(call.route.gv, *document)}});
    }
    // The hash is in the address: what it names never changes.
    answer_static(call, *document,
                  {{"Cache-Control", "public, immutable"},
                   {"Expires", http_date(clock_.now() + std::chrono::hours(24 * 365))}});
}

void Documents::answer_version(const CallPtr& call) const {
    const std::vector<std::string> parts = split(options_.kubernetes, '.');
    std::string out = "{\"major\":" + quoted(parts[0]);
    out += ",\"minor\":" + quoted(parts.size() > 1 ? parts[1] : "0");
    out += ",\"gitVersion\":" + quoted("v" + options_.kubernetes + "+atelier." + options_.version);
    out += ",\"gitCommit\":" + quoted(options_.commit) + ",\"gitTreeState\":\"clean\"";
    out += ",\"buildDate\":\"1970-01-01T00:00:00Z\",\"goVersion\":\"none\",\"compiler\":\"g++\"";
    out += ",\"platform\":\"linux/amd64\"}\n";
    call->json(200, std::move(out));
}

void Documents::answer(const CallPtr& call) const {
    const Endpoint endpoint = call->route.endpoint;
    if (endpoint == Endpoint::root) return answer_static(*call, root_);
    if (endpoint == Endpoint::openapi_v2) return answer_openapi_v2(openapi_, *call);
    if (endpoint == Endpoint::openapi_v3) return answer_openapi_v3(*call);
    const auto form = negotiate_discovery(call->request.header("accept"));
    if (!form) return call->fail(not_acceptable("application/json"));
    if (endpoint == Endpoint::openapi_v3_root) return answer_static(*call, openapi_.v3_root());
    if (endpoint == Endpoint::core_versions) {
        return answer_static(*call, discovery_.core_versions(*form));
    }
    if (endpoint == Endpoint::groups) return answer_static(*call, discovery_.groups(*form));
    const StaticAnswer* answer = endpoint == Endpoint::group
                                     ? discovery_.group(call->route.gv.group)
                                     : discovery_.resources(call->route.gv);
    if (!answer) return call->fail(unknown_path());
    answer_static(*call, *answer);
}

}  // namespace atelier::apiserver
