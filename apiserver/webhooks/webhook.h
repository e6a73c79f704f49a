// POST /webhooks/NAMESPACE/NAME: a git server reports that a template's repository has changed.
// Such a request only brings forward the fetch that the template's interval brings anyway, so a
// repeated one does no harm. The only thing that is read from the body is which ref was pushed: a
// push to a ref that the template cannot mean causes no fetch.
//
// There is no bearer token. The sender knows the key `token` of the Secret that spec.webhook of the
// OrgTemplate names, and proves it in one of the ways of `is_signed`.
#pragma once

#include <string>
#include <string_view>

#include "apiserver/http/http.h"
#include "apiserver/verbs/services.h"
#include "apiserver/webhooks/debouncer.h"

namespace atelier::apiserver {

inline constexpr std::size_t most_webhook_bytes = 1 << 20;

// HMAC-SHA256 over the bytes of the body, in hexadecimal: `X-Hub-Signature-256: sha256=…` (GitHub),
// `X-Gitea-Signature`, `X-Forgejo-Signature`, `X-Gogs-Signature`, `X-Atelier-Signature: sha256=…`
// (anybody); or the key itself as `X-Gitlab-Token`. The time taken does not depend on the key.
bool is_signed(const Request& request, std::string_view key);
std::string hmac_sha256_hex(std::string_view key, std::string_view bytes);

// Thread-safe. `services` and `metrics` outlive it.
class Webhooks {
  public:
    // However often its webhook is called, a template is reconciled for that at most once per
    // `pause`; on a thread of its own, or in pump().
    Webhooks(Services& services, Metrics& metrics, Duration pause, bool own_thread);

    // 202 when the template will be reconciled; 200 when there is nothing to do: to a ping, to a
    // push that the template cannot mean (webhooks/push.h), and while it is suspended; 413 over the
    // bound; 401 for all else, whether the template, its webhook or its Secret exist or not.
    void answer(const CallPtr& call);
    void pump();
    // What still waits is dropped: the template's interval brings it. Idempotent.
    void stop();

  private:
    void count(std::string_view result);

    Services& services_;
    Metrics& metrics_;
    Debouncer debouncer_;
};

// Sets the annotation that asks for a reconcile of an object, as `atelier reconcile` does.
void request_reconcile(Services& services, const Key& key);

}  // namespace atelier::apiserver
