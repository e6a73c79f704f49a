#include "reconcilers/preview/scene.h"

#include <algorithm>

#include "crds/core.h"
#include "reconcilers/fingerprint.h"

namespace atelier::reconcilers::preview {

Scene::Scene(const Tools& used, const Question& asked, Instant at, const std::stop_token& ends)
    : tools(used),
      question(asked),
      now(at),
      stop(ends),
      overlay(used.store),
      before_store(overlay),
      after(overlay, used.kinds, used.random, Log()),
      before(before_store, used.kinds, used.random, Log()) {
    answer.ns = asked.ns;
}

void Scene::note_base(const Key& key) {
    if (bases.contains(key)) return;
    Base base{key, 0, "", ""};
    if (const auto object = overlay.before(key)) {
        base.revision = object->revision;
        base.uid = object->meta.uid;
        base.digest = keyed_digest(tools.fingerprint_key, essence(*object));
    }
    bases.emplace(key, std::move(base));
}

bool Scene::gives(const Key& key) const {
    return std::any_of(answer.candidates.begin(), answer.candidates.end(),
                       [&](const Candidate& one) { return one.key == key; });
}

bool Scene::gives_any(std::string_view resource) const {
    return std::any_of(answer.candidates.begin(), answer.candidates.end(),
                       [&](const Candidate& one) { return one.key.resource == resource; });
}

void Scene::tell_suspended(const std::string& org) {
    block({"Org " + org, "Suspended", "spec.suspend is true: nothing happens until it is resumed",
           "atelier resume org " + org});
}

Result<void> Scene::check_stop() const {
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

}  // namespace atelier::reconcilers::preview
