#include "crds/meta.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <charconv>

#include "base/field_codec.h"

namespace atelier {

std::string Key::text() const {
    return ns.empty() ? fmt::format("{} {}", resource, name)
                      : fmt::format("{} {}/{}", resource, ns, name);
}

}  // namespace atelier

namespace atelier::crds {
namespace {

Error bad_member(std::string_view field, std::string_view wanted) {
    return {Code::invalid, fmt::format("metadata.{}: must be {}", field, wanted)};
}

// What the two readers below have in common: a field of metadata that is one string.
Result<void> take_string(Meta& meta, std::string_view name, std::string_view text) {
    if (name == "name") {
        meta.name = text;
    } else if (name == "generateName") {
        meta.generate_name = text;
    } else if (name == "namespace") {
        meta.ns = text;
    } else if (name == "uid") {
        meta.uid = text;
    } else if (name == "resourceVersion") {
        const Result<Revision> revision = parse_revision(text);
        if (!revision) return revision.error().in("metadata.resourceVersion");
        meta.revision = *revision;
    } else {
        const Result<Instant> at = parse_rfc3339(text);
        if (!at) return bad_member(name, "an RFC 3339 time");
        (name == "creationTimestamp" ? meta.created_at : meta.deleted_at) = *at;
    }
    return {};
}

bool is_string_field(std::string_view name) {
    static constexpr std::string_view names[] = {"name",
                                                 "namespace",
                                                 "uid",
                                                 "resourceVersion",
                                                 "creationTimestamp",
                                                 "deletionTimestamp",
                                                 "generateName"};
    return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

// simdjson reads `metadata` as it goes, and not what follows it. Its errors are thrown, and
// caught in peek_meta.
namespace peek {

namespace od = simdjson::ondemand;

std::map<std::string, std::string> map_of_strings(od::value value) {
    std::map<std::string, std::string> out;
    for (od::field field : value.get_object()) {
        std::string name(std::string_view(field.unescaped_key()));
        out.insert_or_assign(std::move(name), std::string(std::string_view(field.value())));
    }
    return out;
}

std::vector<std::string> list_of_strings(od::value value) {
    std::vector<std::string> out;
    for (od::value element : value.get_array()) out.emplace_back(std::string_view(element));
    return out;
}

OwnerReference owner(od::value value) {
    OwnerReference out;
    for (od::field field : value.get_object()) {
        const std::string_view name = field.unescaped_key();
        if (name == "apiVersion") {
            out.api_version = std::string_view(field.value());
        } else if (name == "kind") {
            out.kind = std::string_view(field.value());
        } else if (name == "name") {
            out.name = std::string_view(field.value());
        } else if (name == "uid") {
            out.uid = std::string_view(field.value());
        } else if (name == "controller" && !field.value().is_null()) {
            out.controller = bool(field.value());
        } else if (name == "blockOwnerDeletion" && !field.value().is_null()) {
            out.block_owner_deletion = bool(field.value());
        }
    }
    return out;
}

Result<void> member(Meta& meta, std::string_view name, od::value value) {
    if (value.is_null()) return {};
    if (is_string_field(name)) return take_string(meta, name, std::string_view(value));
    if (name == "generation") {
        meta.generation = std::int64_t(value);
    } else if (name == "labels") {
        meta.labels = map_of_strings(value);
    } else if (name == "annotations") {
        meta.annotations = map_of_strings(value);
    } else if (name == "finalizers") {
        meta.finalizers = list_of_strings(value);
    } else if (name == "ownerReferences") {
        for (od::value element : value.get_array()) meta.owners.push_back(owner(element));
    }
    return {};
}

}  // namespace peek

}  // namespace

bool Meta::has_finalizer(std::string_view finalizer) const {
    return std::find(finalizers.begin(), finalizers.end(), finalizer) != finalizers.end();
}

const OwnerReference* Meta::controller() const {
    for (const OwnerReference& owner : owners) {
        if (owner.controller.value_or(false)) return &owner;
    }
    return nullptr;
}

std::string Meta::label(std::string_view which) const {
    const auto it = labels.find(std::string(which));
    return it == labels.end() ? std::string() : it->second;
}

std::string Meta::annotation(std::string_view which) const {
    const auto it = annotations.find(std::string(which));
    return it == annotations.end() ? std::string() : it->second;
}

Result<Revision> parse_revision(std::string_view text) {
    Revision revision = 0;
    if (text.empty()) return revision;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), revision);
    if (ec != std::errc{} || end != text.data() + text.size() || revision < 0) {
        return Error{Code::invalid,
                     fmt::format("\"{}\" is not a revision: it must be a whole number, as the "
                                 "server gave it",
                                 text.substr(0, 100))};
    }
    return revision;
}

Result<Meta> peek_meta(std::string_view json) {
    try {
        const simdjson::padded_string padded(json);
        simdjson::ondemand::parser parser;
        auto document = parser.iterate(padded);
        Meta meta;
        for (simdjson::ondemand::field field : document.get_object()) {
            const std::string_view name = field.unescaped_key();
            if (name != "metadata") continue;
            for (simdjson::ondemand::field inner : field.value().get_object()) {
                const std::string_view inner_name = inner.unescaped_key();
                TRY(peek::member(meta, inner_name, inner.value()));
            }
            return meta;
        }
        return Error{Code::invalid, "the object has no metadata"};
    } catch (const simdjson::simdjson_error& e) {
        return Error{Code::invalid, "the object's metadata cannot be read", e.what()};
    }
}

Result<Meta> read_meta(const json::Value& object) {
    Meta meta;
    const json::Value* metadata = json::find(object, {"metadata"});
    if (!metadata || metadata->IsNull()) return meta;
    if (!metadata->IsObject()) return Error{Code::invalid, "metadata: must be an object"};
    for (const auto& m : metadata->GetObject()) {
        const std::string_view name = json::view(m.name);
        if (!is_string_field(name) || m.value.IsNull()) continue;
        if (!m.value.IsString()) return bad_member(name, "a string");
        TRY(take_string(meta, name, json::view(m.value)));
    }
    json::FieldReader reader(*metadata);
    reader("generation", meta.generation);
    reader("labels", meta.labels);
    reader("annotations", meta.annotations);
    reader("finalizers", meta.finalizers);
    reader("ownerReferences", meta.owners);
    if (reader.error()) {
        Error error = *reader.error();
        error.message = "metadata." + error.message;
        return error;
    }
    return meta;
}

json::Value write_meta(const Meta& meta, json::Allocator& allocator) {
    json::Value out(rapidjson::kObjectType);
    json::FieldWriter writer(out, allocator);
    writer("name", meta.name);
    writer("generateName", meta.generate_name);
    writer("namespace", meta.ns);
    writer("uid", meta.uid);
    if (meta.generation != 0) writer("generation", meta.generation);
    writer("creationTimestamp", meta.created_at);
    writer("deletionTimestamp", meta.deleted_at);
    writer("labels", meta.labels);
    writer("annotations", meta.annotations);
    writer("ownerReferences", meta.owners);
    writer("finalizers", meta.finalizers);
    return out;
}

const Condition* StatusBase::find(std::string_view type) const {
    for (const Condition& condition : conditions) {
        if (condition.type == type) return &condition;
    }
    return nullptr;
}

bool StatusBase::is_true(std::string_view type) const {
    const Condition* condition = find(type);
    return condition && condition->status == ConditionStatus::yes;
}

void StatusBase::set(Condition condition, Instant now) {
    for (Condition& existing : conditions) {
        if (existing.type != condition.type) continue;
        const bool flips = existing.status != condition.status;
        condition.last_transition_time =
            flips || !existing.last_transition_time ? now : *existing.last_transition_time;
        existing = std::move(condition);
        return;
    }
    condition.last_transition_time = now;
    conditions.push_back(std::move(condition));
}

void StatusBase::clear(std::string_view type) {
    std::erase_if(conditions, [&](const Condition& c) { return c.type == type; });
}

}  // namespace atelier::crds
