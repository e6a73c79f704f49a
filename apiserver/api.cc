#include "apiserver/api.h"

#include "apiserver/documents/documents.h"
#include "apiserver/request/collection.h"
#include "apiserver/verbs/create.h"
#include "apiserver/verbs/delete.h"
#include "apiserver/verbs/delete_collection.h"
#include "apiserver/verbs/get.h"
#include "apiserver/verbs/list.h"
#include "apiserver/verbs/patch.h"
#include "apiserver/verbs/review.h"
#include "apiserver/verbs/update.h"
#include "apiserver/verbs/watch.h"
#include "apiserver/webhooks/webhook.h"
#include "crds/lifecycle.h"

namespace atelier::apiserver {
namespace {

bool impersonates(const Request& request) {
    for (const auto& [name, value] : request.headers) {
        if (name.starts_with("impersonate-")) return true;
    }
    return false;
}

std::string_view options_kind(Verb verb) {
    switch (verb) {
        case Verb::create:
            return "CreateOptions";
        case Verb::update:
            return "UpdateOptions";
        case Verb::patch:
            return "PatchOptions";
        default:
            return "DeleteOptions";
    }
}

// Reads what all verbs of resources have in common. False: the call is answered.
bool prepare(const CallPtr& call) {
    const auto form = negotiate_resource(call->request.header("accept"));
    if (!form) {
        call->fail(
            not_acceptable("application/json, application/json;as=Table;v=v1;g=meta.k8s.io"));
        return false;
    }
    call->view.as = *form;
    const std::string include = query_text(call->request, "includeObject");
    if (include == "Object") {
        call->view.rows = RowObject::object;
    } else if (include == "None") {
        call->view.rows = RowObject::none;
    } else if (!include.empty() && include != "Metadata") {
        call->fail(bad_request("includeObject must be None, Metadata or Object"));
        return false;
    }
    if (!is_write(call->route.verb)) return true;
    auto options = read_write_options(call->request);
    if (!options) {
        call->fail(options_failure(options.error(), options_kind(call->route.verb)));
        return false;
    }
    call->options = *std::move(options);
    return true;
}

void answer_object(Services& services, const CallPtr& call) {
    switch (call->route.verb) {
        case Verb::get:
            return get_object(services, call);
        case Verb::list:
            return list_objects(services, call);
        case Verb::watch:
            return watch_objects(services, call);
        case Verb::create:
            return create_object(services, call);
        case Verb::update:
            return update_object(services, call);
        case Verb::patch:
            return patch_object(services, call);
        case Verb::remove:
            return delete_object(services, call);
        case Verb::remove_collection:
            return delete_objects(services, call);
        case Verb::other:
            break;
    }
}

}  // namespace

struct Api::State {
    State(store::Store& store, const crds::Kinds& kinds, const Clock& clock, Random& random,
          Metrics& m, const Log& log, ApiOptions options)
        : metrics(m),
          open_metrics(options.open_metrics),
          services(
              std::make_shared<Services>(store, kinds, clock, random, m, log, options.own_thread)),
          authentication(options.credentials),
          health(store, std::move(options.live), std::move(options.ready)),
          documents(services->catalog, clock,
                    {options.version, options.kubernetes, options.commit, options.address}),
          plans({options.planner, std::move(options.revision_diff), options.own_thread}, log),
          webhooks(*services, m, options.webhook_pause, options.own_thread) {}

    // Whether an endpoint is served without knowing who asks.
    bool is_open(Endpoint endpoint) const {
        return endpoint == Endpoint::health || endpoint == Endpoint::version ||
               endpoint == Endpoint::webhook || (endpoint == Endpoint::metrics && open_metrics);
    }
    void answer_resource(const CallPtr& call);
    void answer(const CallPtr& call);

    Metrics& metrics;
    const bool open_metrics;
    const std::shared_ptr<Services> services;
    const Authentication authentication;
    const Health health;
    const Documents documents;
    Plans plans;
    Webhooks webhooks;
};

void Api::State::answer_resource(const CallPtr& call) {
    const Route& route = call->route;
    if (route.verb == Verb::other) return call->fail(method_not_allowed(call->request.method));
    if (route.endpoint == Endpoint::review) return create_review(authentication, call);
    switch (route.handler) {
        case SubresourceHandler::forecast:
            return plans.answer_forecast(call);
        case SubresourceHandler::revision_diff:
            return plans.answer_revision_diff(call);
        case SubresourceHandler::object:
            if (!prepare(call)) return;
            if (!is_write(route.verb)) return answer_object(*services, call);
            services->compute(call, [this, call] { answer_object(*services, call); });
    }
}

void Api::State::answer(const CallPtr& call) {
    const Endpoint endpoint = call->route.endpoint;
    if (endpoint == Endpoint::unknown) return call->fail(unknown_path());
    if (endpoint == Endpoint::resource || endpoint == Endpoint::review ||
        endpoint == Endpoint::plan) {
        return answer_resource(call);
    }
    if (endpoint == Endpoint::webhook) return webhooks.answer(call);
    if (call->request.method != "GET" && call->request.method != "HEAD") {
        return call->fail(method_not_allowed(call->request.method));
    }
    if (endpoint == Endpoint::health) return health.answer(call);
    if (endpoint == Endpoint::version) return documents.answer_version(call);
    if (endpoint == Endpoint::metrics) {
        return call->body(200, "text/plain; version=0.0.4; charset=utf-8",
                          std::make_shared<const std::string>(metrics.text()));
    }
    documents.answer(call);
}

Api::Api(store::Store& store, const crds::Kinds& kinds, const Clock& clock, Random& random,
         Metrics& metrics, Log log, ApiOptions options)
    : state_(new State(store, kinds, clock, random, metrics, log, std::move(options))) {}

Api::~Api() {
    stop();
}

Handler Api::handler() {
    return [this](Request request, std::shared_ptr<ResponseSink> sink) {
        handle(std::move(request), std::move(sink));
    };
}

HeadCheck Api::head_check() {
    return [this](const Request& head) { return check_head(head); };
}

HeadVerdict Api::check_head(const Request& head) const {
    constexpr std::size_t most_unwanted_bytes = 4 << 10;  // of a body that nobody looks at
    const Endpoint endpoint = route(state_->services->catalog, head).endpoint;
    HeadVerdict verdict;
    if (state_->is_open(endpoint)) {
        verdict.known = false;
        verdict.body_bytes =
            endpoint == Endpoint::webhook ? most_webhook_bytes : most_unwanted_bytes;
        return verdict;
    }
    verdict.refuse = !state_->authentication.who(head);
    return verdict;
}

void Api::handle(Request request, std::shared_ptr<ResponseSink> sink) {
    Services& services = *state_->services;
    const auto call = std::make_shared<Call>(std::move(request), std::move(sink), services.clock,
                                             services.request_metrics, services.log);
    call->route = route(services.catalog, call->request);
    if (!state_->is_open(call->route.endpoint)) {
        auto user = state_->authentication.who(call->request);
        if (!user) return call->fail(Error{Code::unauthenticated, "Unauthorized"});
        call->user = *std::move(user);
        if (impersonates(call->request)) {
            return call->fail(failure_of(
                {Code::forbidden, "impersonation is not supported by this server"}, nullptr, ""));
        }
    }
    state_->answer(call);
}

Result<void> Api::seed() {
    Services& services = *state_->services;
    const crds::Kind* kind = services.catalog.find("namespaces");
    if (!kind) return {};
    const Key key{"namespaces", "", "default"};
    if (services.objects.get(key)) return {};
    json::Document object(rapidjson::kObjectType);
    auto& allocator = object.GetAllocator();
    json::set(json::object_at(object, "metadata", allocator), "name", key.name, allocator);
    const crds::Admission admission{services.clock.now(), services.random, services.objects};
    const json::Document admitted = TRY(crds::admit_create(*kind, std::move(object), admission));
    store::Write write;
    write.key = key;
    write.body = crds::encode_body(admitted);
    const auto stored = store::write_and_wait(services.store, std::move(write));
    if (!stored && stored.error().code != Code::already_exists) return stored.error();
    return {};
}

void Api::pump() {
    state_->services->watches.pump();
    state_->webhooks.pump();
}

void Api::stop() {
    state_->services->subscription.reset();
    state_->services->watches.stop();
    state_->webhooks.stop();
    state_->plans.stop();
    state_->services->admissions.stop();
}

}  // namespace atelier::apiserver
