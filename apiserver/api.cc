#include "apiserver/api.h"

#include "apiserver/plans/forecast_service.h"
#include "apiserver/services.h"
#include "apiserver/verbs/verbs.h"
#include "apiserver/webhooks/webhook.h"
#include "crds/lifecycle.h"

namespace atelier::apiserver {
namespace {

bool is_write(Verb verb) {
    return verb == Verb::create || verb == Verb::update || verb == Verb::patch ||
           verb == Verb::remove || verb == Verb::remove_collection;
}

bool impersonates(const Request& request) {
    for (const auto& [name, value] : request.headers) {
        if (name.starts_with("impersonate-")) return true;
    }
    return false;
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
        call->fail(bad_request("includeObject is none of None, Metadata, Object"));
        return false;
    }
    if (!is_write(call->route.verb)) return true;
    auto options = read_write_options(call->request);
    if (!options) {
        call->fail(options.error());
        return false;
    }
    call->options = *std::move(options);
    return true;
}

void dispatch(Services& services, const CallPtr& call) {
    if (call->route.verb == Verb::other) {
        return call->fail(method_not_allowed(call->request.method));
    }
    if (call->route.endpoint == Endpoint::review) return create_review(services, call);
    if (call->route.subresource == diff_subresource) return answer_revision_diff(services, call);
    if (call->route.endpoint == Endpoint::plan) return answer_plan(services, call);
    if (!prepare(call)) return;
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

bool is_open(const Services& services, Endpoint endpoint) {
    return endpoint == Endpoint::health || endpoint == Endpoint::version ||
           endpoint == Endpoint::webhook ||
           (endpoint == Endpoint::metrics && services.options.open_metrics);
}

}  // namespace

Services::Services(store::Store& s, const crds::Kinds& kinds, const Clock& c, Random& r, Metrics& m,
                   Log l, ApiOptions o)
    : options(std::move(o)),
      store(s),
      clock(c),
      random(r),
      metrics(m),
      log(std::move(l)),
      catalog(kinds, c.now()),
      objects(s, catalog),
      presenter(catalog, c),
      discovery(catalog, options.address),
      openapi(catalog, options.version),
      authentication(options.credentials),
      request_metrics(m),
      watches(objects, presenter, c, m, {options.own_thread}),
      debouncer(c, options.webhook_pause, options.own_thread,
                [this](const Key& key) { request_reconcile(*this, key); }) {
    subscription = store.on_commit([this](Revision) { watches.wake(); });
}

struct Api::State {
    std::shared_ptr<Services> services;
};

Api::Api(store::Store& store, const crds::Kinds& kinds, const Clock& clock, Random& random,
         Metrics& metrics, Log log, ApiOptions options)
    : state_(new State{std::make_shared<Services>(store, kinds, clock, random, metrics,
                                                  std::move(log), std::move(options))}) {}

Api::~Api() {
    stop();
}

Handler Api::handler() {
    return [this](Request request, std::shared_ptr<ResponseSink> sink) {
        handle(std::move(request), std::move(sink));
    };
}

void Api::handle(Request request, std::shared_ptr<ResponseSink> sink) {
    Services& services = *state_->services;
    const auto call = std::make_shared<Call>(std::move(request), std::move(sink), services.clock,
                                             services.request_metrics, services.log);
    call->route = route(services.catalog, call->request);
    const Endpoint endpoint = call->route.endpoint;
    if (!is_open(services, endpoint)) {
        auto user = services.authentication.who(call->request);
        if (!user) return call->fail(Error{Code::unauthenticated, "Unauthorized"});
        call->user = *std::move(user);
        if (impersonates(call->request)) {
            return call->fail(failure_of(
                {Code::forbidden, "impersonation is not supported by this server"}, nullptr, ""));
        }
    }
    if (endpoint == Endpoint::unknown) return call->fail(unknown_path());
    if (endpoint == Endpoint::resource || endpoint == Endpoint::review ||
        endpoint == Endpoint::plan) {
        return dispatch(services, call);
    }
    if (endpoint == Endpoint::webhook) return answer_webhook(services, call);
    if (call->request.method != "GET" && call->request.method != "HEAD") {
        return call->fail(method_not_allowed(call->request.method));
    }
    if (endpoint == Endpoint::health) return answer_health(services, call);
    if (endpoint == Endpoint::version) return answer_version(services, call);
    if (endpoint == Endpoint::metrics) {
        return call->body(200, "text/plain; version=0.0.4; charset=utf-8",
                          std::make_shared<const std::string>(services.metrics.text()));
    }
    answer_documents(services, call);
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
    state_->services->debouncer.pump();
}

void Api::stop() {
    state_->services->subscription.reset();
    state_->services->watches.stop();
    state_->services->debouncer.stop();
    state_->services->comparisons.stop();
    state_->services->forecast_workers.stop();
}

}  // namespace atelier::apiserver
