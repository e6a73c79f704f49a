#include "forecast/context.h"

#include <algorithm>

#include "base/fingerprint.h"
#include "crds/core.h"

namespace atelier::forecast {

ForecastContext::ForecastContext(const Dependencies& used, const Request& asked, Instant at,
                                 const std::stop_token& ends)
    : dependencies(used),
      request(asked),
      now(at),
      stop(ends),
      overlay(used.store),
      before_store(overlay),
      after(overlay, used.kinds, used.random, Log()),
      before(before_store, used.kinds, used.random, Log()) {
    result.ns = asked.ns;
}

void ForecastContext::require_unchanged(const Key& key) {
    if (preconditions.contains(key)) return;
    Precondition precondition{key, 0, "", ""};
    if (const auto object = overlay.before(key)) {
        precondition.revision = object->revision;
        precondition.uid = object->meta.uid;
        precondition.digest = keyed_digest(dependencies.fingerprint_key, desired_state_of(*object));
    }
    preconditions.emplace(key, std::move(precondition));
}

bool ForecastContext::proposes(const Key& key) const {
    return std::any_of(result.proposed.begin(), result.proposed.end(),
                       [&](const ProposedObject& one) { return one.key == key; });
}

bool ForecastContext::proposes_any(std::string_view resource) const {
    return std::any_of(result.proposed.begin(), result.proposed.end(),
                       [&](const ProposedObject& one) { return one.key.resource == resource; });
}

void ForecastContext::block_suspended(const std::string& org) {
    block({"Org " + org, "Suspended", "spec.suspend is true: nothing happens until it is resumed",
           "atelier resume org " + org});
}

Result<void> ForecastContext::check_stop() const {
    if (stop.stop_requested()) return Error{Code::cancelled, "the server is ending"};
    return {};
}

bool holds_values(std::string_view resource) {
    return resource == crds::Secret::resource || resource == crds::ConfigMap::resource;
}

std::map<std::string, std::string> values_of(const store::ObjectPtr& object) {
    if (!object) return {};
    if (object->key.resource == crds::Secret::resource) {
        const auto secret = crds::decode_secret(object->body);
        return secret ? secret->data : std::map<std::string, std::string>();
    }
    const auto map = crds::decode_config_map(object->body);
    return map ? map->data : std::map<std::string, std::string>();
}

}  // namespace atelier::forecast
