#include <fmt/format.h>

#include <algorithm>

#include "apiserver/documents/openapi.h"
#include "base/json_text.h"
#include "base/text.h"

namespace atelier::apiserver {
namespace {

constexpr std::string_view object_meta = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";

constexpr std::string_view object_meta_schema = R"json({
"description":"What objects of every kind carry.","type":"object","properties":{
"name":{"type":"string",
  "description":"Unique among the objects of its kind in its namespace. Cannot change."},
"generateName":{"type":"string",
  "description":"A prefix; the server adds a suffix to make a unique name."},
"namespace":{"type":"string",
  "description":"Where names are unique. Cannot change."},
"uid":{"type":"string",
  "description":"Unique in time and space. Set by the server."},
"resourceVersion":{"type":"string",
  "description":"The revision of this state. Set by the server; compare it for equality only."},
"generation":{"type":"integer","format":"int64",
  "description":"Counts the changes of what is desired. Set by the server."},
"selfLink":{"type":"string",
  "description":"No longer used."},
"creationTimestamp":{"type":"string","format":"date-time",
  "description":"When the object was made. Set by the server."},
"deletionTimestamp":{"type":"string","format":"date-time",
  "description":"When deletion was asked for. Set by the server."},
"deletionGracePeriodSeconds":{"type":"integer","format":"int64",
  "description":"Set by the server together with deletionTimestamp."},
"labels":{"type":"object","additionalProperties":{"type":"string"},
  "description":"Names and values to select objects by."},
"annotations":{"type":"object","additionalProperties":{"type":"string"},
  "description":"Names and values that objects are not selected by."},
"finalizers":{"type":"array","items":{"type":"string"},
 "x-kubernetes-list-type":"set","x-kubernetes-patch-strategy":"merge",
  "description":"While one is left, a deleted object stays."},
"ownerReferences":{"type":"array",
  "description":"The objects that this one belongs to.",
 "x-kubernetes-patch-merge-key":"uid","x-kubernetes-patch-strategy":"merge",
 "x-kubernetes-list-type":"map","x-kubernetes-list-map-keys":["uid"],
 "items":{"type":"object","required":["apiVersion","kind","name","uid"],"properties":{
  "apiVersion":{"type":"string",
  "description":"Of the owner."},"kind":{"type":"string",
  "description":"Of the owner."},
  "name":{"type":"string",
  "description":"Of the owner."},"uid":{"type":"string",
  "description":"Of the owner."},
  "controller":{"type":"boolean",
  "description":"Whether the owner manages this object."},
  "blockOwnerDeletion":{"type":"boolean",
  "description":"Whether a foreground deletion of the owner waits for this object."}}}},
"managedFields":{"type":"array",
  "description":"Not kept by this server.","items":{"type":"object"}}}})json";

// Plans are made and never stored, so no kind of the catalog describes them to `kubectl explain`.
constexpr std::string_view plan_schema = R"json({
"description":"What would happen if some objects were applied. A plan is created and never stored.",
"type":"object",
"x-kubernetes-group-version-kind":[{"group":"atelier.dev","kind":"Plan","version":"v1alpha1"}],
"properties":{
"apiVersion":{"type":"string","description":"The group and version."},
"kind":{"type":"string","description":"The kind."},
"metadata":{"type":"object","description":"Holds the namespace of the plan."},
"spec":{"type":"object","description":"What is to be forecast.","properties":{
 "objects":{"type":"array","description":"The objects as they would be applied.",
  "items":{"type":"object","x-kubernetes-preserve-unknown-fields":true}}}},
"status":{"type":"object","x-kubernetes-preserve-unknown-fields":true,
 "description":"The forecast, and a token with which exactly that is applied."}}})json";

std::string reversed_group(std::string_view group) {
    std::vector<std::string> labels = split(group, '.');
    std::reverse(labels.begin(), labels.end());
    return join(labels, ".");
}

json::Value described_string(std::string_view description, json::Allocator& allocator) {
    json::Value out(rapidjson::kObjectType);
    json::set(out, "type", "string", allocator);
    json::set(out, "description", description, allocator);
    return out;
}

json::Value metadata_schema(json::Allocator& allocator) {
    json::Value reference(rapidjson::kObjectType);
    json::set(reference, "$ref", "#/components/schemas/" + std::string(object_meta), allocator);
    json::Value all(rapidjson::kArrayType);
    all.PushBack(std::move(reference), allocator);
    json::Value out(rapidjson::kObjectType);
    json::set(out, "description", "Name, labels, and what the server keeps about the object.",
              allocator);
    json::set(out, "default", json::Value(rapidjson::kObjectType), allocator);
    json::set(out, "allOf", std::move(all), allocator);
    return out;
}

json::Value definition(const crds::Kind& kind, json::Allocator& allocator) {
    json::Value out(rapidjson::kObjectType);
    if (kind.schema) out.CopyFrom(kind.schema->source(), allocator);
    json::set(out, "type", "object", allocator);
    json::Value gvks(rapidjson::kArrayType);
    json::Value gvk(rapidjson::kObjectType);
    json::set(gvk, "group", kind.group, allocator);
    json::set(gvk, "version", kind.version, allocator);
    json::set(gvk, "kind", kind.kind, allocator);
    gvks.PushBack(std::move(gvk), allocator);
    json::set(out, "x-kubernetes-group-version-kind", std::move(gvks), allocator);
    // Without properties of its own a kind is open: any field may be there.
    if (!json::find(out, {"properties"})) return out;
    json::Value& properties = json::object_at(out, "properties", allocator);
    json::set(properties, "apiVersion", described_string("The group and version.", allocator),
              allocator);
    json::set(properties, "kind", described_string("The kind.", allocator), allocator);
    json::set(properties, "metadata", metadata_schema(allocator), allocator);
    return out;
}

}  // namespace

std::string definition_name(const crds::Kind& kind) {
    const bool core = kind.group.empty();
    const bool kubernetes = core || kind.group.ends_with(".k8s.io");
    if (!kubernetes) return reversed_group(kind.group) + "." + kind.version + "." + kind.kind;
    const std::string group = core ? "core" : kind.group.substr(0, kind.group.find('.'));
    return "io.k8s.api." + group + "." + kind.version + "." + kind.kind;
}

std::string gvk_json(const crds::Kind& kind) {
    return "{\"group\":" + quoted(kind.group) + ",\"kind\":" + quoted(kind.kind) +
           ",\"version\":" + quoted(kind.version) + "}";
}

json::Document definitions(const Catalog&, const std::vector<const crds::Kind*>& kinds) {
    json::Document out(rapidjson::kObjectType);
    auto& allocator = out.GetAllocator();
    for (const crds::Kind* kind : kinds) {
        json::set(out, definition_name(*kind), definition(*kind, allocator), allocator);
    }
    const bool ours = std::any_of(kinds.begin(), kinds.end(), [](const crds::Kind* kind) {
        return kind->group == crds::group;
    });
    if (ours) {
        const auto plan = json::parse(plan_schema);
        CHECK(plan);
        json::set(out, reversed_group(crds::group) + "." + std::string(crds::version) + ".Plan",
                  json::Value(static_cast<const json::Value&>(*plan), allocator), allocator);
    }
    const auto meta = json::parse(object_meta_schema);
    CHECK(meta);
    json::set(out, object_meta, json::Value(static_cast<const json::Value&>(*meta), allocator),
              allocator);
    return out;
}

}  // namespace atelier::apiserver
