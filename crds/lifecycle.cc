#include "crds/lifecycle.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json_members.h"
#include "crds/causes.h"
#include "crds/finalizers.h"
#include "crds/metadata.h"
#include "crds/schema_node.h"

namespace atelier::crds {
namespace {

using json::find;
using json::string_at;
using json::Value;
using json::view;

Value& metadata_of(json::Document& object) {
    return json::object_at(object, "metadata", object.GetAllocator());
}

// Fills kind and apiVersion, or refuses those of another kind.
Result<void> settle_type(const Kind& kind, json::Document& object) {
    // A patch can build what no text could say: deeper, or with longer names, than is read back.
    TRY(json::check(object));
    if (!object.IsObject()) return Error{Code::invalid, "the object must be a JSON object"};
    const std::pair<std::string_view, std::string> wanted[] = {{"apiVersion", kind.api_version()},
                                                               {"kind", kind.kind}};
    for (const auto& [name, text] : wanted) {
        const Value* given = find(object, {name});
        if (given && !given->IsString() && !given->IsNull()) {
            return Error{Code::invalid, fmt::format("{} must be a string", name)};
        }
        if (given && given->IsString() && given->GetStringLength() > 0 && view(*given) != text) {
            return Error{Code::invalid, fmt::format("{} is \"{}\", but \"{}\" is wanted here", name,
                                                    view(*given), text)};
        }
        json::set(object, name, text, object.GetAllocator());
    }
    return {};
}

void report_unknown(const Admission& a, std::vector<std::string>& unknown) {
    if (!a.unknown_fields) return;
    a.unknown_fields->insert(a.unknown_fields->end(), std::make_move_iterator(unknown.begin()),
                             std::make_move_iterator(unknown.end()));
}

// Prunes, prepares and defaults everything but metadata.
void shape(const Kind& kind, json::Document& object, const Value* old,
           std::vector<std::string>& unknown) {
    kind.schema->prune(object, unknown);
    if (kind.prepare) kind.prepare(object, old);
    kind.schema->apply_defaults(object, object.GetAllocator());
}

bool same_outside_metadata(const Value& a, const Value& b) {
    std::size_t counted = 0;
    const json::MemberIndex index(b);
    for (const auto& m : a.GetObject()) {
        if (view(m.name) == "metadata") continue;
        const std::size_t other = index.find(view(m.name));
        if (other == json::MemberIndex::npos) return false;
        if (!json::equal((b.MemberBegin() + static_cast<std::ptrdiff_t>(other))->value, m.value)) {
            return false;
        }
        ++counted;
    }
    return counted == b.MemberCount() - (find(b, {"metadata"}) ? 1u : 0u);
}

void set_generation(json::Document& object, std::int64_t generation) {
    json::set(metadata_of(object), "generation", Value(generation), object.GetAllocator());
}

std::int64_t generation_of(const Value& object) {
    const Value* generation = find(object, {"metadata", "generation"});
    return generation && generation->IsInt64() ? generation->GetInt64() : 0;
}

// The order of stored metadata does not depend on who sent it.
void reorder(json::Document& object) {
    std::vector<std::string> ignored;
    CHECK(bool(normalize_metadata(object, ignored)));
    if (const Value* managed = find(object, {"metadata", "managedFields"});
        managed && managed->IsArray() && managed->Empty()) {
        json::remove(metadata_of(object), "managedFields");
    }
}

// An update may not move to another object.
Result<void> same_identity(const Value& object, const Value& old) {
    for (const std::string_view field : {"name", "namespace"}) {
        const std::string given = string_at(object, {"metadata", field});
        const std::string stored = string_at(old, {"metadata", field});
        if (!given.empty() && given != stored) {
            return Error{Code::invalid,
                         fmt::format("metadata.{} is \"{}\", but this is the object \"{}\"", field,
                                     given, stored)};
        }
    }
    const std::string uid = string_at(object, {"metadata", "uid"});
    const std::string stored = string_at(old, {"metadata", "uid"});
    if (!uid.empty() && uid != stored) {
        return Error{
            Code::conflict,
            fmt::format("the UID in the precondition ({}) is not the UID of the object ({}); "
                        "it was deleted and made again",
                        uid, stored)};
    }
    return {};
}

void name_generated(json::Document& object, Random& random) {
    constexpr std::size_t most_prefix = 58;
    const std::string prefix = string_at(object, {"metadata", "generateName"});
    if (prefix.empty() || !string_at(object, {"metadata", "name"}).empty()) return;
    json::set(metadata_of(object), "name",
              prefix.substr(0, most_prefix) + random_text(random, 5, name_suffix_alphabet),
              object.GetAllocator());
}

}  // namespace

Result<json::Document> admit_create(const Kind& kind, json::Document object, const Admission& a) {
    TRY(settle_type(kind, object));
    auto& allocator = object.GetAllocator();
    std::vector<std::string> unknown;
    TRY(normalize_metadata(object, unknown));
    if (!string_at(object, {"metadata", "resourceVersion"}).empty()) {
        return Error{Code::invalid, "resourceVersion should not be set on objects to be created"};
    }
    name_generated(object, a.random);
    Value& metadata = metadata_of(object);
    for (const std::string_view field :
         {"selfLink", "resourceVersion", "deletionTimestamp", "deletionGracePeriodSeconds"}) {
        json::remove(metadata, field);
    }
    json::set(metadata, "uid", uuid4(a.random), allocator);
    json::set(metadata, "creationTimestamp", rfc3339(a.now), allocator);
    set_generation(object, 1);
    if (kind.status_subresource) json::remove(object, "status");
    shape(kind, object, nullptr, unknown);
    report_unknown(a, unknown);

    std::vector<Cause> causes;
    validate_metadata(kind, object, nullptr, causes);
    kind.schema->validate(object, causes);
    if (kind.rule && causes.empty()) kind.rule(object, nullptr, a.lookup, causes);
    if (!causes.empty()) {
        return invalid_object(kind, string_at(object, {"metadata", "name"}), std::move(causes));
    }
    reorder(object);
    return object;
}

Result<json::Document> admit_update(const Kind& kind, const Value& old, json::Document object,
                                    const Admission& a) {
    TRY(settle_type(kind, object));
    auto& allocator = object.GetAllocator();
    std::vector<std::string> unknown;
    TRY(normalize_metadata(object, unknown));
    TRY(same_identity(object, old));
    for (const std::string_view field : {"name", "namespace"}) {
        const std::string stored = string_at(old, {"metadata", field});
        if (!stored.empty()) json::set(metadata_of(object), field, stored, allocator);
    }
    keep_metadata(object, old);
    if (kind.status_subresource) {
        json::remove(object, "status");
        if (const Value* status = find(old, {"status"})) {
            json::set(object, "status", Value(*status, allocator), allocator);
        }
    }
    shape(kind, object, &old, unknown);
    report_unknown(a, unknown);

    std::vector<Cause> causes;
    validate_metadata(kind, object, &old, causes);
    // What nobody touched is not judged again: a rule that grew stricter, or an object referred to
    // that is gone, must not keep a finalizer from being removed.
    const bool touched = !same_outside_metadata(object, old);
    if (touched) {
        kind.schema->validate(object, causes);
        if (kind.rule && causes.empty()) kind.rule(object, &old, a.lookup, causes);
    }
    if (!causes.empty()) {
        return invalid_object(kind, string_at(old, {"metadata", "name"}), std::move(causes));
    }
    if (touched) set_generation(object, generation_of(old) + 1);
    reorder(object);
    if (!touched && same_metadata(object["metadata"], old["metadata"])) return json::copy(old);
    return object;
}

Result<json::Document> admit_status(const Kind& kind, const Value& old, json::Document object,
                                    const Admission& a) {
    if (!kind.status_subresource) {
        return Error{Code::unsupported, fmt::format("{} have no status of their own", kind.plural)};
    }
    TRY(settle_type(kind, object));
    TRY(same_identity(object, old));
    json::Document next = json::copy(old);
    auto& allocator = next.GetAllocator();
    const Value* status = find(object, {"status"});
    json::remove(next, "status");
    if (status && !status->IsNull()) {
        json::set(next, "status", Value(*status, allocator), allocator);
    }
    std::vector<std::string> unknown;
    kind.schema->prune(next, unknown);
    kind.schema->apply_defaults(next, allocator);
    std::erase_if(unknown, [](const std::string& path) { return !path.starts_with("status"); });
    report_unknown(a, unknown);
    std::vector<Cause> causes;
    kind.schema->validate(next, causes);
    std::erase_if(causes, [](const Cause& cause) { return !cause.field.starts_with("status"); });
    if (!causes.empty()) {
        return invalid_object(kind, string_at(old, {"metadata", "name"}), std::move(causes));
    }
    // The rest stays byte for byte what it was.
    json::Document out = json::copy(old);
    json::remove(out, "status");
    if (const Value* shaped = find(next, {"status"})) {
        json::set(out, "status", Value(*shaped, out.GetAllocator()), out.GetAllocator());
    }
    return out;
}

std::optional<json::Document> begin_deletion(const Kind& kind, const Value& old, Instant now,
                                             Propagation propagation) {
    json::Document next = json::copy(old);
    auto& allocator = next.GetAllocator();
    Value& metadata = metadata_of(next);
    Value finalizers(rapidjson::kArrayType);
    if (const Value* held = find(metadata, {"finalizers"}); held && held->IsArray()) {
        for (const Value& entry : held->GetArray()) {
            if (entry.IsString() &&
                (view(entry) == finalizer::foreground || view(entry) == finalizer::orphan)) {
                continue;  // an earlier request's choice; this one's is added below
            }
            finalizers.PushBack(Value(entry, allocator), allocator);
        }
    }
    if (propagation != Propagation::background) {
        finalizers.PushBack(
            json::make(
                propagation == Propagation::foreground ? finalizer::foreground : finalizer::orphan,
                allocator),
            allocator);
    }
    json::remove(metadata, "finalizers");
    if (!finalizers.Empty()) {
        json::set(metadata, "finalizers", std::move(finalizers), allocator);
    }
    const bool first = string_at(old, {"metadata", "deletionTimestamp"}).empty();
    if (first) {
        json::set(metadata, "deletionTimestamp", rfc3339(now), allocator);
        json::set(metadata, "deletionGracePeriodSeconds", Value(0), allocator);
        set_generation(next, generation_of(old) + 1);
        if (kind.resource() == "namespaces") {
            json::set(json::object_at(next, "status", allocator), "phase", "Terminating",
                      allocator);
        }
    }
    if (is_finished(next)) return std::nullopt;
    reorder(next);
    if (!first && same_metadata(next["metadata"], old["metadata"])) return json::copy(old);
    return next;
}

bool is_finished(const Value& object) {
    if (string_at(object, {"metadata", "deletionTimestamp"}).empty()) return false;
    const auto holds = [](const Value* list) { return list && list->IsArray() && !list->Empty(); };
    if (holds(find(object, {"metadata", "finalizers"}))) return false;
    // A namespace is held by its own finalizers until its content is gone.
    return string_at(object, {"kind"}) != "Namespace" ||
           !holds(find(object, {"spec", "finalizers"}));
}

}  // namespace atelier::crds
