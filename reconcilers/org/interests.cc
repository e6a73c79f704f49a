#include "reconcilers/org/interests.h"

#include <algorithm>

#include "crds/core.h"
#include "crds/deleted_workspace.h"
#include "crds/org.h"
#include "crds/org_template.h"
#include "crds/workspace.h"
#include "reconcilers/environment/persona.h"
#include "templates/layers.h"

namespace atelier::reconcilers::org {
namespace {

// The Org that owns the object now, or owned it before the event.
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

Key org_key(const std::string& ns, std::string name) {
    return {std::string(crds::OrgSpec::resource), ns, std::move(name)};
}

void add_key(std::vector<Key>& keys, Key key) {
    if (std::find(keys.begin(), keys.end(), key) == keys.end()) keys.push_back(std::move(key));
}

template <class Names>
std::vector<std::string> values_of(const store::Object& object, Names names) {
    const auto org = crds::decode<crds::Org>(object.body);
    if (!org) return {};
    std::vector<std::string> values;
    for (const std::string& name : names(org->spec)) {
        values.push_back(store::in_namespace(object.key.ns, name));
    }
    return values;
}

std::vector<std::string> template_of(const store::Object& object) {
    return values_of(object, [](const crds::OrgSpec& spec) {
        return std::vector<std::string>{spec.template_ref.name};
    });
}

std::vector<std::string> config_maps_of(const store::Object& object) {
    return values_of(object, [](const crds::OrgSpec& spec) {
        std::vector<std::string> names;
        for (const crds::EnvFrom& from : spec.env_from) {
            if (from.config_map_ref) names.push_back(from.config_map_ref->name);
        }
        return names;
    });
}

std::vector<std::string> secrets_of(const store::Object& object) {
    return values_of(object, [](const crds::OrgSpec& spec) {
        std::vector<std::string> names;
        for (const crds::EnvFrom& from : spec.env_from) {
            if (from.secret_ref) names.push_back(from.secret_ref->name);
        }
        return names;
    });
}

// The names of the other Secrets that an Org reads begin with its template's, or with the prefix of
// its personas.
std::vector<std::string> secret_prefixes_of(const store::Object& object) {
    return values_of(object, [](const crds::OrgSpec& spec) {
        return std::vector<std::string>{spec.template_ref.name, persona_prefix(spec)};
    });
}

constexpr store::FieldIndex by_template{crds::OrgSpec::resource, "template", template_of};
constexpr store::FieldIndex by_config_map{crds::OrgSpec::resource, "configmap", config_maps_of};
constexpr store::FieldIndex by_secret{crds::OrgSpec::resource, "secret", secrets_of};
constexpr store::FieldIndex by_secret_prefix{crds::OrgSpec::resource, "secret-prefix",
                                             secret_prefixes_of};

std::vector<Key> orgs_by(const store::FieldIndex& index, const Key& named,
                         const store::Store& store) {
    std::vector<Key> keys;
    for (const auto& org : store.by_index(index, store::in_namespace(named.ns, named.name))) {
        keys.push_back(org->key);
    }
    return keys;
}

// An Org reads no finalizer, and each new workspace gets one: such writes are skipped.
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

// A deleted workspace may have blocked an Org that does not own it, by its name.
std::vector<Key> orgs_of_workspace(const store::Event& event, const store::Store& store) {
    if (only_finalizers(event)) return {};
    auto keys = owners_of(event, store);
    // The Orgs that the workspace asks to adopt or release it, before and after the event.
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
    // An Org "a-b" names its workspaces "a-b-…".
    const Key& gone = event.object->key;
    for (std::size_t at = gone.name.find('-'); at != std::string::npos;
         at = gone.name.find('-', at + 1)) {
        Key org = org_key(gone.ns, gone.name.substr(0, at));
        if (store.get(org)) add_key(keys, std::move(org));
    }
    return keys;
}

std::vector<Key> orgs_of_template(const store::Event& event, const store::Store& store) {
    return orgs_by(by_template, event.object->key, store);
}

std::vector<Key> orgs_of_secret(const store::Event& event, const store::Store& store) {
    const Key& secret = event.object->key;
    auto keys = orgs_by(by_secret, secret, store);
    for (std::size_t size = 0; size <= secret.name.size(); ++size) {
        const std::string prefix = secret.name.substr(0, size);
        for (const auto& object :
             store.by_index(by_secret_prefix, store::in_namespace(secret.ns, prefix))) {
            const auto org = crds::decode<crds::Org>(object->body);
            if (org &&
                (templates::is_layers_secret_name(secret.name, org->spec.template_ref.name) ||
                 secret.name.starts_with(persona_prefix(org->spec)))) {
                add_key(keys, object->key);
            }
        }
    }
    for (Key& key : owners_of(event, store)) add_key(keys, std::move(key));
    return keys;
}

std::vector<Key> orgs_of_config_map(const store::Event& event, const store::Store& store) {
    return orgs_by(by_config_map, event.object->key, store);
}

}  // namespace

std::vector<Interest> interests() {
    return {{std::string(crds::WorkspaceSpec::resource), orgs_of_workspace},
            {std::string(crds::OrgTemplateSpec::resource), orgs_of_template},
            {std::string(crds::Secret::resource), orgs_of_secret},
            {std::string(crds::ConfigMap::resource), orgs_of_config_map}};
}

}  // namespace atelier::reconcilers::org
