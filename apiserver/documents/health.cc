// Health, version, and the documents that tell clients what is served.
#include <fmt/format.h>

#include <algorithm>

#include "apiserver/present/json_text.h"
#include "apiserver/verbs/verbs.h"
#include "base/text.h"

namespace atelier::apiserver {
namespace {

std::vector<HealthCheck> checks_of(Services& services, std::string_view probe) {
    std::vector<HealthCheck> out{{"ping", [] { return Result<void>(); }}};
    if (probe == "livez") {
        out.insert(out.end(), services.options.live.begin(), services.options.live.end());
        return out;
    }
    out.push_back({"store", [&services] { return services.store.healthy(); }});
    out.insert(out.end(), services.options.ready.begin(), services.options.ready.end());
    return out;
}

bool is_excluded(const Request& request, std::string_view name) {
    return std::any_of(request.query.begin(), request.query.end(), [&](const auto& parameter) {
        return parameter.first == "exclude" && parameter.second == name;
    });
}

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

void answer_openapi_v3(Services& services, Call& call) {
    const StaticAnswer* document = services.openapi.v3(call.route.gv);
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
                   {"Expires", http_date(services.clock.now() + std::chrono::hours(24 * 365))}});
}

void answer_openapi_v2(Services& services, Call& call) {
    const auto protobuf = negotiate_openapi_v2(call.request.header("accept"));
    if (!protobuf || !*protobuf) {
        return call.fail(
            not_acceptable("application/com.github.proto-openapi.spec.v2@v1.0+protobuf"));
    }
    answer_static(call, services.openapi.v2());
}

}  // namespace

std::string http_date(Instant at) {
    using namespace std::chrono;
    static constexpr const char* days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static constexpr const char* months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                             "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const auto day = floor<std::chrono::days>(at);
    const year_month_day date(day);
    const hh_mm_ss time(floor<seconds>(at - day));
    return fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} GMT", days[weekday(day).c_encoding()],
                       static_cast<unsigned>(date.day()),
                       months[static_cast<unsigned>(date.month()) - 1],
                       static_cast<int>(date.year()), time.hours().count(), time.minutes().count(),
                       time.seconds().count());
}

void answer_health(Services& services, const CallPtr& call) {
    const std::string& probe = call->route.probe;
    std::string lines;
    bool well = true;
    bool found = call->route.name.empty();
    for (const HealthCheck& check : checks_of(services, probe)) {
        if (!call->route.name.empty() && call->route.name != check.name) continue;
        found = true;
        if (is_excluded(call->request, check.name)) {
            lines += fmt::format("[+]{} excluded: ok\n", check.name);
            continue;
        }
        const Result<void> result = check.check();
        if (result) {
            lines += fmt::format("[+]{} ok\n", check.name);
        } else {
            well = false;
            lines += fmt::format("[-]{} failed: {}\n", check.name, result.error().message);
        }
    }
    if (!found) return call->fail(unknown_path());
    if (!well) return call->text(503, lines + probe + " check failed\n");
    const bool verbose = query_flag(call->request, "verbose");
    call->text(200, verbose ? lines + probe + " check passed\n" : "ok");
}

void answer_version(Services& services, const CallPtr& call) {
    const ApiOptions& o = services.options;
    const std::vector<std::string> parts = split(o.kubernetes, '.');
    std::string out = "{\"major\":" + quoted(parts[0]);
    out += ",\"minor\":" + quoted(parts.size() > 1 ? parts[1] : "0");
    out += ",\"gitVersion\":" + quoted("v" + o.kubernetes + "+atelier." + o.version);
    out += ",\"gitCommit\":" + quoted(o.commit) + ",\"gitTreeState\":\"clean\"";
    out += ",\"buildDate\":\"1970-01-01T00:00:00Z\",\"goVersion\":\"none\",\"compiler\":\"g++\"";
    out += ",\"platform\":\"linux/amd64\"}\n";
    call->json(200, std::move(out));
}

void answer_documents(Services& services, const CallPtr& call) {
    const Endpoint endpoint = call->route.endpoint;
    const Discovery& discovery = services.discovery;
    if (endpoint == Endpoint::openapi_v2) return answer_openapi_v2(services, *call);
    if (endpoint == Endpoint::openapi_v3) return answer_openapi_v3(services, *call);
    const auto form = negotiate_discovery(call->request.header("accept"));
    if (!form) return call->fail(not_acceptable("application/json"));
    if (endpoint == Endpoint::openapi_v3_root) {
        return answer_static(*call, services.openapi.v3_root());
    }
    if (endpoint == Endpoint::core_versions) {
        return answer_static(*call, discovery.core_versions(*form));
    }
    if (endpoint == Endpoint::groups) return answer_static(*call, discovery.groups(*form));
    const StaticAnswer* answer = endpoint == Endpoint::group ? discovery.group(call->route.gv.group)
                                                             : discovery.resources(call->route.gv);
    if (!answer) return call->fail(unknown_path());
    answer_static(*call, *answer);
}

}  // namespace atelier::apiserver
