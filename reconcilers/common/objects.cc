#include "reconcilers/common/objects.h"

#include <fmt/format.h>

#include <utility>

#include "base/digest.h"
#include "base/text.h"
#include "base/utf8.h"
#include "reconcilers/common/store_lookup.h"
#include "reconcilers/common/text.h"

namespace atelier::reconcilers {
namespace {

constexpr std::size_t event_message_limit = 1024;  // bytes, as events.k8s.io limits a note
constexpr int deletion_attempts = 5;

Result<const crds::Kind*> known(const crds::Kinds& kinds, std::string_view resource) {
    if (const crds::Kind* kind = kinds.find(resource)) return kind;
    return Error{Code::internal, fmt::format("no kind is served as {}", resource)};
}

Key key_of(std::string_view resource, const json::Value& object) {
    return {std::string(resource), json::string_at(object, {"metadata", "namespace"}),
            json::string_at(object, {"metadata", "name"})};
}

void forget_revision(json::Value& object) {
    if (json::Value* meta = json::find(object, {"metadata"})) {
        json::remove(*meta, "resourceVersion");
    }
}

// True when both are the same but for their resourceVersion.
bool same_but_revision(json::Document& a, json::Document& b) {
    forget_revision(a);
    forget_revision(b);
    return static_cast<const json::Value&>(a) == static_cast<const json::Value&>(b);
}

bool same_status(const json::Value& a, const json::Value& b) {
    const json::Value* before = json::find(a, {"status"});
    const json::Value* after = json::find(b, {"status"});
    const auto empty = [](const json::Value* status) {
        return !status || status->IsNull() || (status->IsObject() && status->ObjectEmpty());
    };
    if (empty(before) || empty(after)) return empty(before) && empty(after);
    return *before == *after;
}

Error changed_since_read(const Key& key) {
    return {Code::conflict, fmt::format("{}: changed since it was read", key.text())};
}

Result<store::ObjectPtr> read_for_update(const store::Store& store, const Key& key,
                                         Revision expected) {
    auto old = store.get(key);
    if (!old) return Error{Code::not_found, fmt::format("{}: not found", key.text())};
    if (old->revision != expected) return changed_since_read(key);
    return old;
}

// What a status quotes may have been cut to a length, or be the name of a file: the store takes
// UTF-8 only, and a status that cannot be stored says nothing at all.
void make_utf8(json::Value& value, json::Allocator& allocator) {
    if (value.IsString()) {
        const std::string_view text = json::view(value);
        if (!is_valid_utf8(text)) value = json::make(as_utf8(text), allocator);
    } else if (value.IsArray()) {
        for (json::Value& element : value.GetArray()) make_utf8(element, allocator);
    } else if (value.IsObject()) {
        for (auto& member : value.GetObject()) make_utf8(member.value, allocator);
    }
}

// An Event's name: that of the object, cut so that the whole stays a DNS subdomain, and a digest.
std::string event_name(std::string_view about, std::string_view hash) {
    std::string_view stem = about.substr(0, 200);
    while (!stem.empty() && (stem.back() == '-' || stem.back() == '.')) stem.remove_suffix(1);
    return fmt::format("{}.{}", stem, hash.substr(0, 16));
}

json::Document new_event(const Key& key, const crds::ObjectReference& about, crds::EventType type,
                         std::string_view reason, std::string_view message, Instant now) {
    json::Document event(rapidjson::kObjectType);
    auto& allocator = event.GetAllocator();
    json::set(event, "apiVersion", "v1", allocator);
    json::set(event, "kind", "Event", allocator);
    json::Value meta(rapidjson::kObjectType);
    json::set(meta, "name", key.name, allocator);
    json::set(meta, "namespace", key.ns, allocator);
    json::set(event, "metadata", std::move(meta), allocator);
    json::set(event, "involvedObject", json::write(about, allocator), allocator);
    json::set(event, "type", type == crds::EventType::warning ? "Warning" : "Normal", allocator);
    json::set(event, "reason", reason, allocator);
    json::set(event, "message", message, allocator);
    json::Value source(rapidjson::kObjectType);
    json::set(source, "component", "atelier", allocator);
    json::set(event, "source", std::move(source), allocator);
    json::set(event, "reportingComponent", "atelier.dev/controller", allocator);
    json::set(event, "count", json::Value(1), allocator);
    json::set(event, "firstTimestamp", rfc3339(now), allocator);
    json::set(event, "lastTimestamp", rfc3339(now), allocator);
    return event;
}

}  // namespace

Result<std::optional<crds::Secret>> Objects::secret(const std::string& ns,
                                                    const std::string& name) const {
    const auto object = store_.get({std::string(crds::Secret::resource), ns, name});
    if (!object) return std::optional<crds::Secret>();
    return std::optional<crds::Secret>(TRY(crds::decode_secret(object->body)));
}

Result<std::optional<crds::ConfigMap>> Objects::config_map(const std::string& ns,
                                                           const std::string& name) const {
    const auto object = store_.get({std::string(crds::ConfigMap::resource), ns, name});
    if (!object) return std::optional<crds::ConfigMap>();
    return std::optional<crds::ConfigMap>(TRY(crds::decode_config_map(object->body)));
}

Result<std::vector<crds::Secret>> Objects::secrets_of(const std::string& ns,
                                                      const std::string& owner_uid) const {
    std::vector<crds::Secret> found;
    const auto snapshot = store_.list(crds::Secret::resource);
    for (const auto& object : snapshot->objects) {
        const crds::OwnerReference* owner = object->meta.controller();
        if (object->key.ns != ns || !owner || owner->uid != owner_uid) continue;
        found.push_back(TRY(crds::decode_secret(object->body)));
    }
    return found;
}

Result<bool> Objects::put_secret(const crds::Secret& secret, Instant now) {
    const Key key{std::string(crds::Secret::resource), secret.meta.ns, secret.meta.name};
    const auto stored = store_.get(key);
    if (!stored) {
        TRY(create_document(key.resource, crds::encode_secret(secret), now));
        return true;
    }
    const crds::OwnerReference* theirs = stored->meta.controller();
    const crds::OwnerReference* ours = secret.meta.controller();
    if (!theirs || !ours || theirs->uid != ours->uid) {
        return Error{Code::forbidden,
                     fmt::format("the Secret {} exists and belongs to somebody else", key.name)};
    }
    crds::Secret next = TRY(crds::decode_secret(stored->body));
    next.meta.labels = secret.meta.labels;
    next.type = secret.type;
    next.data = secret.data;
    const auto written =
        TRY(update_document(key.resource, crds::encode_secret(next), stored->revision, now));
    return written->revision != stored->revision;
}

Result<void> Objects::remove_secret(const crds::Secret& secret, Instant now) {
    return remove_key({std::string(crds::Secret::resource), secret.meta.ns, secret.meta.name},
                      secret.meta.uid, now);
}

Result<void> Objects::give_secret(crds::Secret secret, const crds::OwnerReference& owner,
                                  Instant now) {
    std::erase_if(secret.meta.owners,
                  [](const crds::OwnerReference& one) { return one.controller.value_or(false); });
    secret.meta.owners.push_back(owner);
    const Revision observed = secret.meta.revision;
    const auto written =
        update_document(crds::Secret::resource, crds::encode_secret(secret), observed, now);
    if (!written) return written.error();
    return {};
}

Result<store::ObjectPtr> Objects::create_document(std::string_view resource, json::Document object,
                                                  Instant now) {
    const crds::Kind* kind = TRY(known(kinds_, resource));
    const StoreLookup lookup(store_);
    const Key asked = key_of(resource, object);
    auto admitted = crds::admit_create(*kind, std::move(object), {now, random_, lookup});
    if (!admitted) return admitted.error().in(asked.text());
    const Key key = key_of(resource, *admitted);  // a generateName has its suffix now
    return store::write_and_wait(
        store_, {store::Write::Kind::create, key, crds::encode_body(*admitted), 0});
}

Result<store::ObjectPtr> Objects::update_document(std::string_view resource, json::Document object,
                                                  Revision expected, Instant now) {
    const crds::Kind* kind = TRY(known(kinds_, resource));
    const StoreLookup lookup(store_);
    const Key key = key_of(resource, object);
    const auto stored = TRY(read_for_update(store_, key, expected));
    json::Document old = TRY(json::parse(stored->body));
    auto next = crds::admit_update(*kind, old, std::move(object), {now, random_, lookup});
    if (!next) return next.error().in(key.text());
    if (crds::is_finished(*next)) {
        return store::write_and_wait(store_, {store::Write::Kind::remove, key, {}, expected});
    }
    if (same_but_revision(old, *next)) return stored;
    return store::write_and_wait(
        store_, {store::Write::Kind::update, key, crds::encode_body(*next), expected});
}

Result<bool> Objects::report_document(std::string_view resource, json::Document object,
                                      Revision expected, Instant now) {
    const crds::Kind* kind = TRY(known(kinds_, resource));
    const StoreLookup lookup(store_);
    const Key key = key_of(resource, object);
    const auto stored = TRY(read_for_update(store_, key, expected));
    const json::Document old = TRY(json::parse(stored->body));
    if (json::Value* status = json::find(object, {"status"})) {
        make_utf8(*status, object.GetAllocator());
    }
    auto next = crds::admit_status(*kind, old, std::move(object), {now, random_, lookup});
    if (!next) return next.error().in(key.text());
    if (same_status(old, *next)) return false;
    TRY(store::write_and_wait(
        store_, {store::Write::Kind::update, key, crds::encode_body(*next), expected}));
    return true;
}

// A deletion is bound to the uid, not to a revision: somebody else's write in between is no reason
// to give up, so a conflict is tried again on what is there now.
Result<void> Objects::remove_key(const Key& key, const std::string& uid, Instant now,
                                 const std::map<std::string, std::string>& marks) {
    const crds::Kind* kind = TRY(known(kinds_, key.resource));
    for (int attempt = 0; attempt < deletion_attempts; ++attempt) {
        const auto stored = store_.get(key);
        if (!stored || stored->meta.uid != uid || stored->meta.deleted_at) return {};
        json::Document old = TRY(json::parse(stored->body));
        for (const auto& [name, value] : marks) {
            json::Value& metadata = json::object_at(old, "metadata", old.GetAllocator());
            json::set(json::object_at(metadata, "annotations", old.GetAllocator()), name, value,
                      old.GetAllocator());
        }
        const auto waiting = crds::begin_deletion(*kind, old, now, crds::Propagation::background);
        store::Write write{store::Write::Kind::remove, key, {}, stored->revision};
        if (waiting) {
            write.kind = store::Write::Kind::update;
            write.body = crds::encode_body(*waiting);
        }
        const auto written = store::write_and_wait(store_, std::move(write));
        if (written || written.error().code == Code::not_found) return {};
        if (written.error().code != Code::conflict) return written.error().in(key.text());
    }
    return changed_since_read(key);
}

void Objects::record_event(const crds::ObjectReference& about, crds::EventType type,
                           std::string_view reason, std::string_view message, Instant now) {
    const std::string text = cut_utf8(as_utf8(message), event_message_limit);
    const std::string hash = sha256_hex(fmt::format("{}\n{}\n{}", about.uid, reason, text));
    const Key key{"events", about.ns.empty() ? "default" : about.ns, event_name(about.name, hash)};
    const auto record = [&]() -> Result<void> {
        const auto stored = store_.get(key);
        if (!stored) {
            TRY(create_document(key.resource, new_event(key, about, type, reason, text, now), now));
            return {};
        }
        json::Document event = TRY(json::parse(stored->body));
        auto& allocator = event.GetAllocator();
        const json::Value* count = json::find(event, {"count"});
        const std::int64_t observed = count && count->IsInt64() ? count->GetInt64() : 1;
        json::set(event, "count", json::Value(observed + 1), allocator);
        json::set(event, "lastTimestamp", rfc3339(now), allocator);
        TRY(update_document(key.resource, std::move(event), stored->revision, now));
        return {};
    };
    const auto recorded = record();
    if (!recorded) {
        log_.warning("an event could not be recorded",
                     {{"event", key.text()}, {"error", recorded.error().message}});
    }
}

}  // namespace atelier::reconcilers
