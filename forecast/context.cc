#include "forecast/context.h"

#include <algorithm>

#include "base/fingerprint.h"
#include "crds/core.h"

namespace atelier::forecast {

ForecastContext::ForecastContext(const Tools& used, const Question& request, Instant at,
                                 const std::stop_token& ends)
    : tools(used),
      question(request),
      now(at),
      stop(ends),
      overlay(used.store),
      before_store(overlay),
      after(overlay, used.kinds, used.random, Log()),
      before(before_store, used.kinds, used.random, Log()) {
    answer.ns = request.ns;
}

void ForecastContext::note_base(const Key& key) {
    if (bases.contains(key)) return;
    Base base{key, 0, "", ""};
    if (const auto object = overlay.before(key)) {
        base.revision = object->revision;
        base.uid = object->meta.uid;
        base.digest = keyed_digest(tools.fingerprint_key, essence(*object));
    }
    bases.emplace(key, std::move(base));
}

bool ForecastContext::gives(const Key& key) const {
    return std::any_of(answer.proposed.begin(), answer.proposed.end(),
                       [&](const ProposedObject& one) { return one.key == key; });
}

bool ForecastContext::gives_any(std::string_view resource) const {
    return std::any_of(answer.proposed.begin(), answer.proposed.end(),
                       [&](const ProposedObject& one) { return one.key.resource == resource; });
}

void ForecastContext::add_suspended(const std::string& org) {
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

// The values of a Secret or ConfigMap, by name; none when there is no such object.
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
