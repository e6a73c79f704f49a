#include "apiserver/verbs/verbs.h"

#include "apiserver/request/body.h"

namespace atelier::apiserver {
namespace {

Failure too_many() {
    Failure failure{429, "TooManyRequests", "too many plans are being made: try again in a moment"};
    failure.retry_after = 2;
    return failure;
}

Failure ending() {
    Failure failure{503, "ServiceUnavailable", "the server is ending: try again"};
    failure.retry_after = 1;
    return failure;
}

// Neither kind nor name of a plan would help: the message says it all.
Failure failure_of_plan(const Error& error) {
    if (error.code == Code::cancelled) return ending();
    Failure failure = failure_of(error, nullptr, "");
    if (!error.causes.empty()) {
        failure.message = error.message;
        failure.causes = error.causes;
    }
    return failure;
}

// The answer comes from a thread of the desk.
void hand_over(Services& services, const CallPtr& call, int status,
               std::function<Result<json::Document>(ForecastService&)> work) {
    ForecastService* const planner = services.options.planner;
    if (!planner) return call->fail(Failure{503, "ServiceUnavailable", "no plans are made here"});
    const bool taken = services.forecast_workers.take(
        [&services, planner, call, status, work = std::move(work)](bool closed) {
            if (closed) return call->fail(ending());
            const auto answer = work(*planner);
            if (answer) return call->json(status, json::text(*answer) + "\n");
            if (!answer.error().detail.empty() || answer.error().code == Code::internal) {
                services.log.warning("a plan failed", {{"error", answer.error().message},
                                                       {"detail", answer.error().detail}});
            }
            call->fail(failure_of_plan(answer.error()));
        });
    if (!taken) call->fail(services.forecast_workers.closed() ? ending() : too_many());
}

void make(Services& services, const CallPtr& call) {
    auto decoded = decode_body(*call, false);
    if (!decoded) return call->fail(decoded.error());
    const std::string kind = json::string_at(decoded->value, {"kind"});
    if (!kind.empty() && kind != "Plan") {
        return call->fail(bad_request("the body is a " + kind + ", where a Plan is wanted"));
    }
    const auto body = std::make_shared<const json::Document>(std::move(decoded->value));
    hand_over(services, call, 201, [body, ns = call->route.ns](ForecastService& planner) {
        const json::Value* spec = json::find(*body, {"spec"});
        const json::Value none;
        return planner.plan(ns, spec ? *spec : none);
    });
}

}  // namespace

void answer_plan(Services& services, const CallPtr& call) {
    const Route& route = call->route;
    if (route.kind) {
        return hand_over(services, call, 200,
                         [ns = route.ns, name = route.name](ForecastService& planner) {
                             return planner.plan_org(ns, name);
                         });
    }
    if (route.subresource.empty()) return make(services, call);
    hand_over(services, call, 200, [ns = route.ns, token = route.name](ForecastService& planner) {
        return planner.apply(ns, token);
    });
}

}  // namespace atelier::apiserver
