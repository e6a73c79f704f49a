#include "apiserver/plans/plans.h"

#include "apiserver/request/body.h"

namespace atelier::apiserver {
namespace {

Failure too_many() {
    Failure failure{429, "TooManyRequests", "too many plans are being made: try again in a moment"};
    failure.retry_after = 2;
    return failure;
}

Failure stopping() {
    Failure failure{503, "ServiceUnavailable", "the server is stopping: try again"};
    failure.retry_after = 1;
    return failure;
}

// A plan has neither a name nor a stored kind that details could carry: the message says it all.
Failure failure_of_plan(const Error& error) {
    if (error.code == Code::cancelled) return stopping();
    Failure failure = failure_of(error, nullptr, "");
    if (!error.causes.empty()) {
        failure.message = error.message;
        failure.causes = error.causes;
    }
    return failure;
}

}  // namespace

Plans::Plans(Options options, Log log) : options_(std::move(options)), log_(std::move(log)) {}

void Plans::hand_over(const CallPtr& call, int status, Work work) {
    if (!options_.service) {
        return call->fail(
            Failure{503, "ServiceUnavailable", "this server was started without plans"});
    }
    const bool taken = forecasts_.take([this, call, status, work = std::move(work)](bool stopped) {
        if (stopped) return call->fail(stopping());
        const auto answer = work(*options_.service);
        if (answer) return call->json(status, json::text(*answer) + "\n");
        if (!answer.error().detail.empty() || answer.error().code == Code::internal) {
            log_.warning("a plan failed",
                         {{"error", answer.error().message}, {"detail", answer.error().detail}});
        }
        call->fail(failure_of_plan(answer.error()));
    });
    if (!taken) call->fail(forecasts_.stopped() ? stopping() : too_many());
}

void Plans::make(const CallPtr& call) {
    auto decoded = decode_body(*call, false);
    if (!decoded) return call->fail(decoded.error());
    const std::string kind = json::string_at(decoded->value, {"kind"});
    if (!kind.empty() && kind != "Plan") {
        return call->fail(bad_request("the body is a " + kind + "; this path takes a Plan"));
    }
    const auto body = std::make_shared<const json::Document>(std::move(decoded->value));
    hand_over(call, 201, [body, ns = call->route.ns](ForecastService& service) {
        const json::Value* spec = json::find(*body, {"spec"});
        const json::Value none;
        return service.plan(ns, spec ? *spec : none);
    });
}

void Plans::answer_forecast(const CallPtr& call) {
    const Route& route = call->route;
    if (route.kind) {
        return hand_over(call, 200, [ns = route.ns, name = route.name](ForecastService& service) {
            return service.plan_org(ns, name);
        });
    }
    if (route.subresource.empty()) return make(call);
    hand_over(call, 200, [ns = route.ns, token = route.name](ForecastService& service) {
        return service.apply(ns, token);
    });
}

void Plans::answer_revision_diff(const CallPtr& call) {
    if (!options_.revision_diff) return call->fail(unknown_path());
    const RevisionQuestion question{call->route.ns, call->route.name,
                                    query_text(call->request, "since"),
                                    query_text(call->request, "to")};
    const auto answer = [this, call, question](bool stopped) {
        if (stopped) return call->fail(stopping());
        auto text = options_.revision_diff(question);
        if (text) return call->json(200, *std::move(text));
        Failure failure = failure_of(text.error(), call->route.kind, call->route.name);
        // What is not there may be a revision of the template and not the Org: only the message of
        // the comparison names it.
        failure.message = text.error().message;
        call->fail(failure);
    };
    if (!options_.own_thread) return answer(false);
    if (!comparisons_.take(answer)) {
        call->fail(Error{Code::exhausted, "too many comparisons are under way: try again soon"});
    }
}

void Plans::stop() {
    comparisons_.stop();
    forecasts_.stop();
}

}  // namespace atelier::apiserver
