#include "apiserver/webhooks/webhook.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "apiserver/identity/constant_time.h"
#include "apiserver/webhooks/push.h"
#include "base/digest.h"
#include "base/text.h"
#include "crds/core.h"
#include "crds/org_template.h"

namespace atelier::apiserver {
namespace {

constexpr std::string_view token_key = "token";
constexpr int most_tries = 8;

std::optional<crds::OrgTemplate> template_of(const Services& services, const std::string& ns,
                                             const std::string& name) {
    const auto object =
        services.store.get({std::string(crds::OrgTemplateSpec::resource), ns, name});
    if (!object || object->meta.deleted_at) return std::nullopt;
    auto source = crds::decode<crds::OrgTemplate>(object->body);
    if (!source) return std::nullopt;
    return *std::move(source);
}

// The token of a template's webhook; empty when there is none.
std::string key_of(const Services& services, const std::optional<crds::OrgTemplate>& source) {
    if (!source || !source->spec.webhook) return {};
    const auto stored = services.store.get({std::string(crds::Secret::resource), source->meta.ns,
                                            source->spec.webhook->secret_ref.name});
    if (!stored) return {};
    const auto secret = crds::decode_secret(stored->body);
    if (!secret) return {};
    const auto token = secret->data.find(std::string(token_key));
    // A Secret that was made from a file often ends with a line end, which is not of the token.
    return token == secret->data.end() ? std::string() : std::string(trim(token->second));
}

// Why a correctly signed request causes no reconcile; empty: it causes one.
std::string why_ignored(const Request& request, const crds::OrgTemplate& source) {
    if (source.spec.suspend) {
        return "nothing is done: the template is suspended; it is reconciled when it is resumed\n";
    }
    const auto push = push_of(request.body);
    if (!push || may_concern(*push, source)) return {};
    const std::string& ref = source.spec.source.git->ref;
    return "nothing is done: the template follows " + (ref.empty() ? "the default branch" : ref) +
           ", and the push was to another branch or tag\n";
}

struct Asking {
    Key key;
    std::string stamp;
    int tries = 0;
};

void write(Services& services, Asking asking) {
    const auto old = services.store.get(asking.key);
    const crds::Kind* kind = services.catalog.find(asking.key.resource);
    if (!old || old->meta.deleted_at || !kind) return;
    auto current = json::parse(old->body);
    if (!current) return;
    json::Document wanted = json::copy(*current);
    auto& allocator = wanted.GetAllocator();
    json::set(
        json::object_at(json::object_at(wanted, "metadata", allocator), "annotations", allocator),
        crds::annotation::reconcile_requested_at, asking.stamp, allocator);
    const crds::Admission admission{services.clock.now(), services.random, services.objects};
    const auto next = crds::admit_update(*kind, *current, std::move(wanted), admission);
    if (!next) {
        services.log.error("a webhook's request cannot be written", next.error());
        return;
    }
    store::Write change;
    change.kind = store::Write::Kind::update;
    change.key = asking.key;
    change.expected = old->revision;
    change.body = crds::encode_body(*next);
    services.store.write(std::move(change), [held = services.shared_from_this(), &services, asking](
                                                const Result<store::ObjectPtr>& stored) mutable {
        if (stored) return;
        if (stored.error().code == Code::conflict && ++asking.tries < most_tries) {
            const bool taken = services.compute([&services, asking](bool stopped) {
                if (!stopped) write(services, asking);
            });
            if (taken) return;
        }
        services.log.error("a webhook's request cannot be written", stored.error());
    });
}

}  // namespace

std::string hmac_sha256_hex(std::string_view key, std::string_view bytes) {
    unsigned char sum[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    CHECK(HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
               reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), sum, &length));
    return to_hex({reinterpret_cast<const char*>(sum), length});
}

bool is_signed(const Request& request, std::string_view key) {
    const std::string wanted = hmac_sha256_hex(key, request.body);
    bool good = false;
    for (const std::string_view name : {"x-hub-signature-256", "x-atelier-signature"}) {
        constexpr std::string_view scheme = "sha256=";
        const std::string_view given = request.header(name);
        if (!given.starts_with(scheme)) continue;
        good = equal_in_constant_time(lower(given.substr(scheme.size())), wanted) || good;
    }
    for (const std::string_view name :
         {"x-gitea-signature", "x-forgejo-signature", "x-gogs-signature"}) {
        const std::string_view given = request.header(name);
        if (!given.empty()) good = equal_in_constant_time(lower(given), wanted) || good;
    }
    if (const std::string_view given = request.header("x-gitlab-token"); !given.empty()) {
        // Digests are compared, so that the length of the key does not show either.
        good = equal_in_constant_time(sha256_hex(given), sha256_hex(key)) || good;
    }
    return good;
}

Webhooks::Webhooks(Services& services, Metrics& metrics, Duration pause, bool own_thread)
    : services_(services),
      metrics_(metrics),
      debouncer_(services.clock, pause, own_thread,
                 [&services](const Key& key) { request_reconcile(services, key); }) {}

void Webhooks::count(std::string_view result) {
    metrics_
        .counter("atelier_webhook_requests_total", "Requests to the webhooks of templates.",
                 {{"result", std::string(result)}})
        .add();
}

void Webhooks::answer(const CallPtr& call) {
    const Request& request = call->request;
    if (request.method != "POST") return call->fail(method_not_allowed(request.method));
    if (request.body.size() > most_webhook_bytes) {
        count("too_large");
        return call->text(413, "the body is larger than a webhook may send (1 MiB)\n");
    }
    const auto source = template_of(services_, call->route.ns, call->route.name);
    const std::string key = key_of(services_, source);
    // Without a key the same work is done, so that the time taken does not show which templates
    // exist.
    const bool good = is_signed(request, key.empty() ? "no such key" : key);
    if (key.empty() || !good) {
        count("refused");
        return call->fail(Error{Code::unauthenticated, "Unauthorized"});
    }
    if (request.header("x-github-event") == "ping") {
        count("ping");
        return call->text(200, "pong\n");
    }
    if (std::string why = why_ignored(request, *source); !why.empty()) {
        count("ignored");
        return call->text(200, std::move(why));
    }
    count("accepted");
    debouncer_.ask(
        {std::string(crds::OrgTemplateSpec::resource), call->route.ns, call->route.name});
    call->text(202, "the template will be reconciled\n");
}

void Webhooks::pump() {
    debouncer_.pump();
}

void Webhooks::stop() {
    debouncer_.stop();
}

void request_reconcile(Services& services, const Key& key) {
    write(services, {key, rfc3339_micro(services.clock.now())});
}

}  // namespace atelier::apiserver
