#include "controllers/garbage.h"

#include <algorithm>

#include "base/json_members.h"
#include "crds/finalizers.h"
#include "crds/lifecycle.h"

namespace atelier::controllers {
namespace {

namespace finalizer = crds::finalizer;

constexpr std::string_view namespaces = "namespaces";
constexpr std::string_view events = "events";

// What is stored can be deleted, also what an earlier release stored and parse() refuses today.
constexpr json::Limits stored_limits{
    .depth = 10'000, .nodes = 10'000'000, .key = std::size_t{64} << 20};

void remove_strings(json::Value& object, std::string_view member, std::string_view text) {
    json::Value* list = json::find(object, {member});
    if (!list || !list->IsArray()) return;
    json::keep_elements(*list, [&](const json::Value& element) {
        return !element.IsString() || json::view(element) != text;
    });
    if (list->Empty()) json::remove(object, member);
}

}  // namespace

Garbage::Garbage(store::Store& store, const crds::Kinds& kinds, Log log, Options options)
    : store_(store), kinds_(kinds), log_(log.with("controller", "garbage")), options_(options) {}

bool Garbage::collect(Instant now) {
    for (const auto& kind : kinds_.all()) read_changes(*kind);
    // A clock that was set back does not put the sweep off.
    if (now >= next_sweep_ || next_sweep_ - now > options_.sweep_interval) sweep(now);
    bool wrote = false;
    for (const Key& key : std::exchange(pending_, {})) wrote = examine(key, now) || wrote;
    return std::exchange(lost_race_, false) || wrote;
}

void Garbage::sweep(Instant now) {
    next_sweep_ = now + options_.sweep_interval;
    sweep_events(now);
    sweep_crowded(now);
    const auto list = store_.list(namespaces);
    for (const auto& object : list->objects) {
        if (object->meta.deleted_at) pending_.insert(object->key);
    }
}

void Garbage::read_changes(const crds::Kind& kind) {
    const std::string resource = kind.resource();
    auto& follower = followers_.try_emplace(resource, store_, resource).first->second;
    const auto listed = [&](const store::Snapshot& snapshot) {
        for (const auto& object : snapshot.objects) index(*object);
    };
    follower.follow(listed, [&](const store::Event& event) {
        if (event.previous) unindex(*event.previous);
        if (event.change == store::Change::deleted) return note_removal(*event.object);
        index(*event.object);
    });
}

// Its dependents may have no owner left, and its owners or its namespace may have waited for it.
void Garbage::note_removal(const store::Object& object) {
    unindex(object);
    const auto it = dependents_.find(object.meta.uid);
    if (it != dependents_.end()) pending_.insert(it->second.begin(), it->second.end());
    for (const auto& owner : object.meta.owners) {
        if (const auto key = owner_key(owner, object.key.ns)) pending_.insert(*key);
    }
    if (!object.key.ns.empty()) pending_.insert({std::string(namespaces), "", object.key.ns});
}

void Garbage::index(const store::Object& object) {
    for (const auto& owner : object.meta.owners) dependents_[owner.uid].insert(object.key);
    if (!object.meta.owners.empty() || object.meta.deleted_at) pending_.insert(object.key);
    for (std::size_t i = 0; i < options_.retentions.size(); ++i) {
        const store::FieldIndex& index = *options_.retentions[i].index;
        if (index.resource != object.key.resource) continue;
        for (std::string& value : index.values(object)) crowded_[i].insert(std::move(value));
    }
}

void Garbage::unindex(const store::Object& object) {
    for (const auto& owner : object.meta.owners) {
        const auto it = dependents_.find(owner.uid);
        if (it == dependents_.end()) continue;
        it->second.erase(object.key);
        if (it->second.empty()) dependents_.erase(it);
    }
}

std::optional<Key> Garbage::owner_key(const crds::OwnerReference& owner,
                                      const std::string& ns) const {
    const crds::Kind* kind = kinds_.find_kind(owner.api_version, owner.kind);
    if (!kind) return std::nullopt;
    return Key{kind->resource(), kind->scope == crds::Scope::cluster ? "" : ns, owner.name};
}

bool Garbage::owner_is_gone(const crds::OwnerReference& owner, const std::string& ns) const {
    const auto key = owner_key(owner, ns);
    if (!key) return false;  // an owner of a kind that is not served may exist elsewhere
    const auto object = store_.get(*key);
    return !object || object->meta.uid != owner.uid;
}

bool Garbage::examine(const Key& key, Instant now) {
    const auto object = store_.get(key);
    if (!object) return false;
    const auto& meta = object->meta;
    if (meta.deleted_at) {
        if (key.resource == namespaces) return empty_namespace(*object, now);
        if (meta.has_finalizer(finalizer::foreground)) return finish_foreground(*object, now);
        if (meta.has_finalizer(finalizer::orphan)) return finish_orphan(*object);
        return false;
    }
    if (meta.owners.empty()) return false;
    const bool all_gone =
        std::all_of(meta.owners.begin(), meta.owners.end(),
                    [&](const auto& owner) { return owner_is_gone(owner, key.ns); });
    if (!all_gone) return false;
    log_.info("deleting an object whose owners are all gone", {{"object", key.text()}});
    return request_deletion(*object, now, crds::Propagation::background);
}

bool Garbage::finish_foreground(const store::Object& object, Instant now) {
    const auto it = dependents_.find(object.meta.uid);
    bool wrote = false;
    bool blocked = false;
    if (it != dependents_.end()) {
        for (const Key& key : std::set<Key>(it->second)) {
            const auto dependent = store_.get(key);
            if (!dependent) continue;
            const auto& owners = dependent->meta.owners;
            blocked = blocked || std::any_of(owners.begin(), owners.end(), [&](const auto& owner) {
                          return owner.uid == object.meta.uid &&
                                 owner.block_owner_deletion.value_or(false);
                      });
            if (dependent->meta.deleted_at) continue;
            if (request_deletion(*dependent, now, crds::Propagation::foreground)) {
                wrote = true;
            } else {
                // No event of the dependent will lead back here: its deletion has not begun.
                pending_.insert(object.key);
            }
        }
    }
    if (blocked) return wrote;
    auto next = json::parse(object.body, stored_limits);
    if (!next) return wrote;
    if (json::Value* metadata = json::find(*next, {"metadata"})) {
        remove_strings(*metadata, "finalizers", finalizer::foreground);
    }
    return replace(object, *next) || wrote;
}

bool Garbage::finish_orphan(const store::Object& object) {
    const auto it = dependents_.find(object.meta.uid);
    if (it != dependents_.end()) {
        for (const Key& key : std::set<Key>(it->second)) {
            const auto dependent = store_.get(key);
            if (!dependent) continue;
            auto next = json::parse(dependent->body, stored_limits);
            json::Value* metadata = next ? json::find(*next, {"metadata"}) : nullptr;
            json::Value* owners = metadata ? json::find(*metadata, {"ownerReferences"}) : nullptr;
            if (!owners || !owners->IsArray()) continue;
            json::keep_elements(*owners, [&](const json::Value& owner) {
                return json::string_at(owner, {"uid"}) != object.meta.uid;
            });
            if (owners->Empty()) json::remove(*metadata, "ownerReferences");
            if (!replace(*dependent, *next)) {
                pending_.insert(object.key);
                return false;
            }
        }
    }
    auto next = json::parse(object.body, stored_limits);
    json::Value* metadata = next ? json::find(*next, {"metadata"}) : nullptr;
    if (!metadata) return false;
    remove_strings(*metadata, "finalizers", finalizer::orphan);
    return replace(object, *next);
}

// True when a deletion was begun. What is left afterwards is in `remaining`.
bool Garbage::delete_content(const store::Object& ns, RemainingContent& remaining, Instant now) {
    bool wrote = false;
    for (const auto& kind : kinds_.all()) {
        if (kind->scope == crds::Scope::cluster) continue;
        const auto list = store_.list(kind->resource());
        const auto& objects = list->objects;
        for (std::size_t i = objects.lower_bound(ns.key.name, "");
             i < objects.size() && objects[i]->key.ns == ns.key.name; ++i) {
            const store::Object& inside = *objects[i];
            remaining.add(inside);
            if (inside.meta.deleted_at) continue;
            if (request_deletion(inside, now, crds::Propagation::background)) {
                wrote = true;
            } else {
                ++remaining.failures[inside.key.resource];
            }
        }
    }
    return wrote;
}

bool Garbage::empty_namespace(const store::Object& object, Instant now) {
    RemainingContent remaining;
    const bool wrote = delete_content(object, remaining, now);
    auto next = json::parse(object.body, stored_limits);
    if (!next) return wrote;
    if (remaining.resources.empty()) {
        if (json::Value* spec = json::find(*next, {"spec"})) {
            remove_strings(*spec, "finalizers", finalizer::kubernetes);
        }
        return replace(object, *next) || wrote;
    }
    if (wrote || !remaining.failures.empty()) pending_.insert(object.key);
    // After a deletion began, the next pass sees what is left of it, and reports that.
    if (wrote || !set_remaining(*next, remaining, now)) return wrote;
    return update(object, *next);
}

void Garbage::sweep_events(Instant now) {
    const auto list = store_.list(events);
    for (const auto& event : list->objects) {
        // A time further ahead than Events are kept was written by a clock that was wrong.
        const auto is_old = [&](Instant at) {
            return now - at >= options_.events_kept || at - now >= options_.events_kept;
        };
        if (!event->meta.created_at || !is_old(*event->meta.created_at)) continue;
        const auto document = json::parse(event->body);
        if (!document) continue;
        const auto last = parse_rfc3339(json::string_at(*document, {"lastTimestamp"}));
        if (!last || is_old(*last)) remove_event(*event);
    }
}

void Garbage::sweep_crowded(Instant now) {
    for (const auto& [at, values] : std::exchange(crowded_, {})) {
        const Retention& retention = options_.retentions[at];
        for (const std::string& value : values) {
            auto found = store_.by_index(*retention.index, value);
            if (found.size() <= retention.most) continue;
            std::sort(found.begin(), found.end(),
                      [](const auto& a, const auto& b) { return a->revision > b->revision; });
            for (std::size_t i = retention.most; i < found.size(); ++i) {
                if (found[i]->meta.deleted_at) continue;
                request_deletion(*found[i], now, crds::Propagation::background);
            }
        }
    }
}

void Garbage::remove_event(const store::Object& event) {
    store::Write write;
    write.kind = store::Write::Kind::remove;
    write.key = event.key;
    write.expected = event.revision;
    settle(event.key, store::write_and_wait(store_, std::move(write)));
}

bool Garbage::request_deletion(const store::Object& object, Instant now,
                               crds::Propagation propagation) {
    const crds::Kind* kind = kinds_.find(object.key.resource);
    if (!kind) return false;
    const auto document = json::parse(object.body, stored_limits);
    if (!document && !object.meta.finalizers.empty()) {
        log_.error("cannot delete an object whose stored text is damaged and which has finalizers",
                   document.error(), {{"object", object.key.text()}});
        return false;
    }
    std::optional<json::Document> next;
    if (document) next = crds::begin_deletion(*kind, *document, now, propagation);
    store::Write write;
    write.key = object.key;
    write.expected = object.revision;
    if (next) {
        write.kind = store::Write::Kind::update;
        write.body = crds::encode_body(*next);
    } else {
        write.kind = store::Write::Kind::remove;
    }
    return settle(object.key, store::write_and_wait(store_, std::move(write)));
}

bool Garbage::replace(const store::Object& old, const json::Document& next) {
    if (!crds::is_finished(next)) return update(old, next);
    store::Write write;
    write.kind = store::Write::Kind::remove;
    write.key = old.key;
    write.expected = old.revision;
    return settle(old.key, store::write_and_wait(store_, std::move(write)));
}

bool Garbage::update(const store::Object& old, const json::Document& next) {
    store::Write write;
    write.kind = store::Write::Kind::update;
    write.key = old.key;
    write.expected = old.revision;
    write.body = crds::encode_body(next);
    return settle(old.key, store::write_and_wait(store_, std::move(write)));
}

bool Garbage::settle(const Key& key, const Result<store::ObjectPtr>& outcome) {
    if (outcome) return true;
    const Code code = outcome.error().code;
    lost_race_ = lost_race_ || code == Code::not_found || code == Code::conflict;
    if (code == Code::not_found) return false;
    pending_.insert(key);  // examined again, with what the other writer made of it
    if (code != Code::conflict) {
        log_.error("cannot write what the garbage collection demands", outcome.error(),
                   {{"object", key.text()}});
    }
    return false;
}

}  // namespace atelier::controllers
