#include <algorithm>

#include "reconcilers/environment/persona.h"
#include "reconcilers/org/reconciler.h"
#include "templates/layers.h"

namespace atelier::reconcilers {
namespace {

// The Org that controls the object now or did before.
std::vector<Key> owners_of(const store::Event& event, const store::Store& /*store*/) {
    std::vector<Key> keys;
    for (const store::ObjectPtr& object : {event.object, event.previous}) {
        const crds::OwnerReference* owner = object ? object->meta.controller() : nullptr;
        if (!owner || owner->kind != crds::OrgSpec::kind) continue;
        Key key{std::string(crds::OrgSpec::resource), object->key.ns, owner->name};
        if (std::find(keys.begin(), keys.end(), key) == keys.end()) keys.push_back(std::move(key));
    }
    return keys;
}

template <class Concerned>
std::vector<Key> orgs_where(const std::string& ns, const store::Store& store, Concerned concerned) {
    std::vector<Key> keys;
    const auto snapshot = store.list(crds::OrgSpec::resource);
    for (const auto& object : snapshot->objects) {
        if (object->key.ns != ns) continue;
        const auto org = crds::decode<crds::Org>(object->body);
        if (org && concerned(*org)) keys.push_back(object->key);
    }
    return keys;
}

// A write of finalizers touches nothing that an Org looks at, and each new workspace gets one.
bool only_finalizers(const store::Event& event) {
    if (event.change != store::Change::modified) return false;
    const auto same = [](const crds::OwnerReference& a, const crds::OwnerReference& b) {
        return a.uid == b.uid && a.controller == b.controller;
    };
    const crds::Meta& now = event.object->meta;
    const crds::Meta& before = event.previous->meta;
    return now.finalizers != before.finalizers && now.generation == before.generation &&
           now.deleted_at == before.deleted_at && now.labels == before.labels &&
           now.annotations == before.annotations &&
           std::equal(now.owners.begin(), now.owners.end(), before.owners.begin(),
                      before.owners.end(), same);
}

// A workspace that goes may have been in the way of an Org that does not own it.
std::vector<Key> orgs_of_workspace(const store::Event& event, const store::Store& store) {
    if (only_finalizers(event)) return {};
    auto keys = owners_of(event, store);
    // Whom it asks for something, and whom it no longer does.
    for (const store::ObjectPtr& object : {event.object, event.previous}) {
        for (const std::string_view asks :
             {crds::annotation::adopt_by, crds::annotation::released_from}) {
            const std::string org = object ? object->meta.annotation(asks) : std::string();
            if (org.empty()) continue;
            Key key{std::string(crds::OrgSpec::resource), object->key.ns, org};
            if (std::find(keys.begin(), keys.end(), key) == keys.end()) keys.push_back(key);
        }
    }
    if (event.change != store::Change::deleted) return keys;
    const auto in_conflict = orgs_where(event.object->key.ns, store, [&](const crds::Org& org) {
        return event.object->key.name.starts_with(org.meta.name + "-");
    });
    for (const Key& key : in_conflict) {
        if (std::find(keys.begin(), keys.end(), key) == keys.end()) keys.push_back(key);
    }
    return keys;
}

std::vector<Key> orgs_of_template(const store::Event& event, const store::Store& store) {
    return orgs_where(event.object->key.ns, store, [&](const crds::Org& org) {
        return org.spec.template_ref.name == event.object->key.name;
    });
}

std::vector<Key> orgs_of_secret(const store::Event& event, const store::Store& store) {
    const std::string& name = event.object->key.name;
    auto keys = orgs_where(event.object->key.ns, store, [&](const crds::Org& org) {
        return templates::is_layers_secret_name(name, org.spec.template_ref.name) ||
               name.starts_with(persona_prefix(org.spec)) ||
               std::any_of(org.spec.env_from.begin(), org.spec.env_from.end(),
                           [&](const crds::EnvFrom& from) {
                               return from.secret_ref && from.secret_ref->name == name;
                           });
    });
    for (Key& key : owners_of(event, store)) {
        if (std::find(keys.begin(), keys.end(), key) == keys.end()) keys.push_back(std::move(key));
    }
    return keys;
}

std::vector<Key> orgs_of_config_map(const store::Event& event, const store::Store& store) {
    return orgs_where(event.object->key.ns, store, [&](const crds::Org& org) {
        return std::any_of(
            org.spec.env_from.begin(), org.spec.env_from.end(), [&](const crds::EnvFrom& from) {
                return from.config_map_ref && from.config_map_ref->name == event.object->key.name;
            });
    });
}

}  // namespace

std::vector<Interest> org_interests() {
    return {{std::string(crds::WorkspaceSpec::resource), orgs_of_workspace},
            {std::string(crds::OrgTemplateSpec::resource), orgs_of_template},
            {std::string(crds::Secret::resource), orgs_of_secret},
            {std::string(crds::ConfigMap::resource), orgs_of_config_map}};
}

}  // namespace atelier::reconcilers
