#include "apiserver/request/call.h"

#include <fmt/format.h>

namespace atelier::apiserver {
namespace {

// A warning is a quoted text in one header line.
std::string warning_header(const std::vector<std::string>& warnings) {
    std::string out;
    for (const std::string& warning : warnings) {
        if (out.size() > 4096) break;
        out += out.empty() ? "299 - \"" : ", 299 - \"";
        for (const char c : warning) {
            if (c == '"' || c == '\\') out += '\\';
            if (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f) out += c;
        }
        out += '"';
    }
    return out;
}

}  // namespace

Call::Call(Request r, std::shared_ptr<ResponseSink> sink, const Clock& clock,
           RequestMetrics& metrics, Log log)
    : request(std::move(r)),
      sink_(std::move(sink)),
      clock_(clock),
      metrics_(metrics),
      log_(std::move(log)),
      begun_(clock.now()) {}

Headers Call::headers(std::string_view content_type) const {
    Headers out{{"Content-Type", std::string(content_type)}};
    if (!warnings.empty()) out.emplace_back("Warning", warning_header(warnings));
    return out;
}

void Call::record(int status) {
    const std::string_view verb =
        route.verb == Verb::other ? std::string_view("other") : name_of(route.verb);
    const std::string resource = route.kind     ? route.kind->resource()
                                 : route.review ? std::string(route.review->plural)
                                 : route.endpoint == Endpoint::plan ? std::string("plans")
                                                                    : std::string();
    const Duration took = clock_.now() - begun_;
    metrics_.record(verb, resource, status, took);
    if (status >= 500) {
        log_.warning("request failed", {{"method", request.method},
                                        {"path", request.path},
                                        {"user", user.name},
                                        {"code", std::to_string(status)}});
    } else {
        log_.debug("request", {{"method", request.method},
                               {"path", request.path},
                               {"user", user.name},
                               {"code", std::to_string(status)}});
    }
}

void Call::body(int status, std::string_view content_type, Frame body, Headers more) {
    Headers all = headers(content_type);
    for (auto& header : more) all.push_back(std::move(header));
    record(status);
    sink_->reply(status, std::move(all), std::move(body));
}

void Call::json(int status, std::string text) {
    body(status, "application/json", std::make_shared<const std::string>(std::move(text)),
         {{"Cache-Control", "no-cache, private"}});
}

void Call::text(int status, std::string text) {
    body(status, "text/plain; charset=utf-8", std::make_shared<const std::string>(std::move(text)),
         {{"Cache-Control", "no-cache, private"}, {"X-Content-Type-Options", "nosniff"}});
}

void Call::fail(const Failure& failure) {
    Headers more{{"Cache-Control", "no-cache, private"}};
    if (failure.retry_after > 0) {
        more.emplace_back("Retry-After", std::to_string(failure.retry_after));
    }
    if (failure.status == 401) more.emplace_back("WWW-Authenticate", "Bearer realm=\"atelier\"");
    body(failure.status, "application/json",
         std::make_shared<const std::string>(status_json(failure)), std::move(more));
}

void Call::fail(const Error& error) {
    if (error.code == Code::internal || !error.detail.empty()) {
        log_.warning("request refused",
                     {{"path", request.path}, {"error", error.message}, {"detail", error.detail}});
    }
    fail(failure_of(error, route.kind, route.name));
}

std::shared_ptr<ResponseSink> Call::stream() {
    Headers all = headers("application/json");
    all.emplace_back("Cache-Control", "no-cache, private");
    record(200);
    sink_->start(200, std::move(all));
    return sink_;
}

}  // namespace atelier::apiserver
