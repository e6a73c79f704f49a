#include "apiserver/resources/catalog.h"

#include <algorithm>

#include "base/digest.h"
#include "crds/lifecycle.h"

namespace atelier::apiserver {
namespace {

crds::Kind definition_kind() {
    crds::Kind kind;
    kind.group = "apiextensions.k8s.io";
    kind.version = "v1";
    kind.kind = "CustomResourceDefinition";
    kind.list_kind = "CustomResourceDefinitionList";
    kind.plural = "customresourcedefinitions";
    kind.singular = "customresourcedefinition";
    kind.short_names = {"crd", "crds"};
    kind.categories = {"api-extensions"};
    kind.scope = crds::Scope::cluster;
    crds::Column created;
    created.name = "Created At";
    created.type = "string";
    created.json_path = ".metadata.creationTimestamp";
    created.description = "When this server started to serve the definition.";
    kind.columns = {created};
    return kind;
}

crds::Kind service_kind() {
    crds::Kind kind;
    kind.version = "v1";
    kind.kind = "Service";
    kind.list_kind = "ServiceList";
    kind.plural = "services";
    kind.singular = "service";
    kind.short_names = {"svc"};
    kind.scope = crds::Scope::namespaced;
    return kind;
}

// A uid that is the same after every start.
std::string uid_of(std::string_view name) {
    std::string hex = sha256_hex(name).substr(0, 32);
    for (const std::size_t at : {8u, 13u, 18u, 23u}) hex.insert(at, 1, '-');
    return hex;
}

json::Value condition(std::string_view type, std::string_view reason, std::string_view message,
                      std::string_view since, json::Allocator& allocator) {
    json::Value out(rapidjson::kObjectType);
    json::set(out, "type", type, allocator);
    json::set(out, "status", "True", allocator);
    json::set(out, "lastTransitionTime", since, allocator);
    json::set(out, "reason", reason, allocator);
    json::set(out, "message", message, allocator);
    return out;
}

json::Value status_of(const json::Value& definition, std::string_view since,
                      json::Allocator& allocator) {
    json::Value status(rapidjson::kObjectType);
    json::Value conditions(rapidjson::kArrayType);
    conditions.PushBack(
        condition("NamesAccepted", "NoConflicts", "no conflicts found", since, allocator),
        allocator);
    conditions.PushBack(condition("Established", "InitialNamesAccepted",
                                  "the initial names have been accepted", since, allocator),
                        allocator);
    json::set(status, "conditions", std::move(conditions), allocator);
    if (const json::Value* names = json::find(definition, {"spec", "names"})) {
        json::Value accepted;
        accepted.CopyFrom(*names, allocator);
        json::set(status, "acceptedNames", std::move(accepted), allocator);
    }
    json::Value versions(rapidjson::kArrayType);
    if (const json::Value* served = json::find(definition, {"spec", "versions"});
        served && served->IsArray()) {
        for (const json::Value& version : served->GetArray()) {
            versions.PushBack(json::make(json::string_at(version, {"name"}), allocator), allocator);
        }
    }
    json::set(status, "storedVersions", std::move(versions), allocator);
    return status;
}

store::ObjectPtr definition_object(json::Document definition, const std::string& resource,
                                   Instant started) {
    const std::string since = rfc3339(started);
    auto& allocator = definition.GetAllocator();
    const std::string name = json::string_at(definition, {"metadata", "name"});
    json::Value& metadata = json::object_at(definition, "metadata", allocator);
    json::set(metadata, "uid", uid_of(name), allocator);
    json::set(metadata, "creationTimestamp", since, allocator);
    json::set(metadata, "generation", json::Value(1), allocator);
    json::set(definition, "status", status_of(definition, since, allocator), allocator);

    auto object = std::make_shared<store::Object>();
    object->key = {resource, "", name};
    object->revision = 1;
    object->body = crds::encode_body(definition).with(object->revision);
    if (auto meta = crds::peek_meta(object->body)) object->meta = *std::move(meta);
    return object;
}

int group_rank(const crds::Kind& kind) {
    if (kind.group.empty()) return 0;
    return kind.group == crds::group ? 1 : 2;
}

}  // namespace

Catalog::Catalog(const crds::Kinds& kinds, Instant started)
    : definition_(std::make_shared<const crds::Kind>(definition_kind())),
      services_(std::make_shared<const crds::Kind>(service_kind())) {
    for (json::Document& definition : crds::embedded_crds()) {
        definitions_.push_back(
            definition_object(std::move(definition), definition_->resource(), started));
    }
    std::sort(definitions_.begin(), definitions_.end(),
              [](const auto& a, const auto& b) { return a->key < b->key; });

    for (const auto& kind : kinds.all()) kinds_.push_back(kind.get());
    kinds_.push_back(definition_.get());
    kinds_.push_back(services_.get());
    std::stable_sort(kinds_.begin(), kinds_.end(),
                     [](const auto* a, const auto* b) { return group_rank(*a) < group_rank(*b); });
    for (const crds::Kind* kind : kinds_) {
        const GroupVersion gv{kind->group, kind->version};
        if (std::find(group_versions_.begin(), group_versions_.end(), gv) ==
            group_versions_.end()) {
            group_versions_.push_back(gv);
        }
    }
    for (const Review& review : reviews()) {
        const GroupVersion gv{std::string(review.group), std::string(review.version)};
        if (std::find(group_versions_.begin(), group_versions_.end(), gv) ==
            group_versions_.end()) {
            group_versions_.push_back(gv);
        }
    }
}

const crds::Kind* Catalog::find(std::string_view group, std::string_view version,
                                std::string_view plural) const {
    for (const crds::Kind* kind : kinds_) {
        if (kind->plural == plural && kind->group == group && kind->version == version) return kind;
    }
    return nullptr;
}

const crds::Kind* Catalog::find(std::string_view resource) const {
    for (const crds::Kind* kind : kinds_) {
        if (kind->resource() == resource) return kind;
    }
    return nullptr;
}

const std::vector<Review>& Catalog::reviews() {
    static const std::vector<Review> all{
        {"authentication.k8s.io", "v1", "selfsubjectreviews", "SelfSubjectReview"},
        {"authentication.k8s.io", "v1", "tokenreviews", "TokenReview"},
        {"authorization.k8s.io", "v1", "selfsubjectaccessreviews", "SelfSubjectAccessReview"},
        {"authorization.k8s.io", "v1", "selfsubjectrulesreviews", "SelfSubjectRulesReview"},
        {"authorization.k8s.io", "v1", "subjectaccessreviews", "SubjectAccessReview"},
    };
    return all;
}

const Review* Catalog::find_review(std::string_view group, std::string_view version,
                                   std::string_view plural) {
    for (const Review& review : reviews()) {
        if (review.plural == plural && review.group == group && review.version == version) {
            return &review;
        }
    }
    return nullptr;
}

}  // namespace atelier::apiserver
