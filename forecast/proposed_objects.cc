#include "forecast/proposed_objects.h"

#include <fmt/format.h>

#include "crds/lifecycle.h"
#include "reconcilers/common/store_lookup.h"
#include "reconcilers/environment/workspace_env.h"
#include "reconcilers/org/binding.h"

namespace atelier::forecast {
namespace {

Result<ProposedObject> proposed_object_of(const json::Document& given, const std::string& ns,
                                          const crds::Kinds& kinds) {
    ProposedObject out;
    if (!given.IsObject()) return Error{Code::invalid, "it is no object"};
    const std::string version = json::string_at(given, {"apiVersion"});
    const std::string name_of_kind = json::string_at(given, {"kind"});
    out.kind = kinds.find_kind(version, name_of_kind);
    if (!out.kind) {
        return Error{Code::invalid,
                     fmt::format("no kind \"{}\" of \"{}\" is served here", name_of_kind, version)};
    }
    const std::string name = json::string_at(given, {"metadata", "name"});
    if (name.empty()) return Error{Code::invalid, "metadata.name: is required"};
    out.object = json::copy(given);
    auto& allocator = out.object.GetAllocator();
    json::Value& metadata = json::object_at(out.object, "metadata", allocator);
    out.key = {out.kind->resource(), "", name};
    if (out.kind->scope == crds::Scope::namespaced) {
        const std::string own = json::string_at(metadata, {"namespace"});
        if (!own.empty() && own != ns) {
            return Error{Code::invalid,
                         fmt::format("{} \"{}\" is of the namespace \"{}\", and a plan is of one "
                                     "namespace, here \"{}\"",
                                     out.kind->kind, name, own, ns)};
        }
        out.key.ns = ns;
        json::set(metadata, "namespace", ns, allocator);
    }
    json::remove(metadata, "resourceVersion");
    json::remove(metadata, "generation");
    if (out.kind->status_subresource) json::remove(out.object, "status");
    return out;
}

// What a manifest does not say of these stays as it is.
void keep_metadata(json::Document& object, const json::Value& old) {
    auto& allocator = object.GetAllocator();
    json::Value& metadata = json::object_at(object, "metadata", allocator);
    for (const std::string_view name : {"labels", "annotations", "finalizers", "ownerReferences"}) {
        const json::Value* was = json::find(old, {"metadata", name});
        if (!was || json::find(metadata, {name})) continue;
        json::set(metadata, name, json::Value(*was, allocator), allocator);
    }
}

Result<void> refuse(const ProposedObject& proposed, const std::vector<std::string>& unknown) {
    if (unknown.empty()) return {};
    Error error{Code::invalid, fmt::format("{} \"{}\": unknown field \"{}\"", proposed.kind->kind,
                                           proposed.key.name, unknown.front())};
    for (const std::string& path : unknown) {
        error.causes.push_back({path, "FieldValueNotSupported", "unknown field"});
    }
    return error;
}

}  // namespace

Result<std::vector<ProposedObject>> proposed_objects_of(const std::vector<json::Document>& objects,
                                                        const std::string& ns,
                                                        const crds::Kinds& kinds) {
    std::vector<ProposedObject> out;
    for (const json::Document& object : objects) {
        auto proposed = proposed_object_of(object, ns, kinds);
        if (!proposed) {
            return proposed.error().in(fmt::format("object {} of the plan", out.size() + 1));
        }
        for (const ProposedObject& other : out) {
            if (other.key == proposed->key) {
                return Error{Code::invalid, fmt::format("{} \"{}\" is there twice",
                                                        proposed->kind->kind, proposed->key.name)};
            }
        }
        out.push_back(*std::move(proposed));
    }
    return out;
}

Result<store::ObjectPtr> put(store::Store& store, const ProposedObject& proposed, Revision expected,
                             Random& random, Instant now) {
    const reconcilers::StoreLookup lookup(store);
    std::vector<std::string> unknown;
    const crds::Admission admission{now, random, lookup, &unknown};
    const std::string what = proposed.kind->kind + " \"" + proposed.key.name + "\"";
    store::Write write;
    write.key = proposed.key;
    write.expected = expected;
    Result<json::Document> next = Error{Code::internal, "not admitted"};
    if (expected == 0) {
        next = crds::admit_create(*proposed.kind, json::copy(proposed.object), admission);
    } else {
        const auto old = store.get(proposed.key);
        if (!old || old->revision != expected) {
            return Error{Code::conflict, what + ": was changed meanwhile"};
        }
        const json::Document was = TRY(json::parse(old->body));
        write.kind = store::Write::Kind::update;
        json::Document object = json::copy(proposed.object);
        keep_metadata(object, was);
        next = crds::admit_update(*proposed.kind, was, std::move(object), admission);
    }
    if (!next) return next.error().in(what);
    TRY(refuse(proposed, unknown));
    write.body = crds::encode_body(*next);
    if (expected != 0 && crds::is_finished(*next)) {
        write.kind = store::Write::Kind::remove;
        write.body = {};
    }
    auto stored = store::write_and_wait(store, std::move(write));
    if (!stored) return stored.error().in(what);
    return stored;
}

std::string desired_state_of(const store::Object& object) {
    auto document = json::parse(object.body);
    if (!document || !document->IsObject()) return object.body;
    json::remove(*document, "status");
    if (json::Value* metadata = json::find(*document, {"metadata"})) {
        json::remove(*metadata, "resourceVersion");
        json::remove(*metadata, "managedFields");
        json::remove(*metadata, "finalizers");
        if (json::Value* annotations = json::find(*metadata, {"annotations"})) {
            json::remove(*annotations, crds::annotation::reconcile_requested_at);
            json::remove(*annotations, reconcilers::annotation::planned_artifact);
            json::remove(*annotations, reconcilers::annotation::planned_environment);
            json::remove(*annotations, reconcilers::annotation::env_after);
            if (annotations->IsObject() && annotations->ObjectEmpty()) {
                json::remove(*metadata, "annotations");
            }
        }
    }
    return json::canonical(*document);
}

}  // namespace atelier::forecast
