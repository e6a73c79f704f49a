#include "controllers/garbage.h"

#include <algorithm>

#include "base/json.h"
#include "crds/lifecycle.h"

namespace atelier::controllers {
namespace {

constexpr std::size_t events_at_once = 1000;
constexpr std::string_view foreground = "foregroundDeletion";
constexpr std::string_view orphan = "orphan";
constexpr std::string_view namespaces = "namespaces";

void remove_string(json::Value* list, std::string_view text) {
    if (!list || !list->IsArray()) return;
    for (auto it = list->Begin(); it != list->End();) {
        it = it->IsString() && json::view(*it) == text ? list->Erase(it) : it + 1;
    }
}

}  // namespace

Garbage::Garbage(store::Store& store, const crds::Kinds& kinds, Log log, Options options)
    : store_(store), kinds_(kinds), log_(log.with("controller", "garbage")), options_(options) {}

bool Garbage::collect(Instant now) {
    for (const auto& kind : kinds_.all()) read_changes(*kind);
    if (now >= next_sweep_) {
        next_sweep_ = now + options_.sweep_interval;
        sweep_events(now);
        for (const auto list = store_.list(namespaces); const auto& object : list->objects) {
            if (object->meta.deleted_at) pending_.insert(object->key);
        }
    }
    bool wrote = false;
    for (const Key& key : std::exchange(pending_, {})) wrote = examine(key, now) || wrote;
    return wrote;
}

void Garbage::read_changes(const crds::Kind& kind) {
    const std::string resource = kind.resource();
    const auto known = cursors_.find(resource);
    if (known != cursors_.end()) {
        while (true) {
            const auto events = store_.events(resource, known->second, events_at_once);
            if (!events) break;  // history was lost: read the list again
            for (const auto& event : *events) {
                known->second = event->revision;
                if (event->previous) unindex(*event->previous);
                if (event->change == store::Change::deleted) {
                    unindex(*event->object);
                    const auto it = dependents_.find(event->object->meta.uid);
                    if (it != dependents_.end()) {
                        pending_.insert(it->second.begin(), it->second.end());
                    }
                    for (const auto& owner : event->object->meta.owners) {
                        if (const auto key = owner_key(owner, event->object->key.ns)) {
                            pending_.insert(*key);
                        }
                    }
                    if (!event->object->key.ns.empty()) {
                        pending_.insert({std::string(namespaces), "", event->object->key.ns});
                    }
                } else {
                    index(*event->object);
                }
            }
            if (events->size() < events_at_once) return;
        }
    }
    const auto snapshot = store_.list(resource);
    for (const auto& object : snapshot->objects) index(*object);
    cursors_[resource] = snapshot->revision;
}

void Garbage::index(const store::Object& object) {
    for (const auto& owner : object.meta.owners) dependents_[owner.uid].insert(object.key);
    if (!object.meta.owners.empty() || object.meta.deleted_at) pending_.insert(object.key);
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
    if (!key) return false;  // a kind we do not serve: not ours to judge
    const auto object = store_.get(*key);
    return !object || object->meta.uid != owner.uid;
}

bool Garbage::examine(const Key& key, Instant now) {
    const auto object = store_.get(key);
    if (!object) return false;
    const auto& meta = object->meta;
    if (meta.deleted_at) {
        if (key.resource == namespaces) return empty_namespace(*object, now);
        if (meta.has_finalizer(foreground)) return finish_foreground(*object, now);
        if (meta.has_finalizer(orphan)) return finish_orphan(*object);
        return false;
    }
    if (meta.owners.empty()) return false;
    const bool all_gone =
        std::all_of(meta.owners.begin(), meta.owners.end(),
                    [&](const auto& owner) { return owner_is_gone(owner, key.ns); });
    if (!all_gone) return false;
    log_.info("deleting what nobody owns any more", {{"object", key.text()}});
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
            if (!dependent->meta.deleted_at) {
                wrote = request_deletion(*dependent, now, crds::Propagation::foreground) || wrote;
            }
        }
    }
    if (blocked) return wrote;
    auto next = json::parse(object.body);
    if (!next) return wrote;
    remove_string(json::find(*next, {"metadata", "finalizers"}), foreground);
    return replace(object, *next) || wrote;
}

bool Garbage::finish_orphan(const store::Object& object) {
    const auto it = dependents_.find(object.meta.uid);
    if (it != dependents_.end()) {
        for (const Key& key : std::set<Key>(it->second)) {
            const auto dependent = store_.get(key);
            if (!dependent) continue;
            auto next = json::parse(dependent->body);
            if (!next) continue;
            json::Value* owners = json::find(*next, {"metadata", "ownerReferences"});
            if (!owners || !owners->IsArray()) continue;
            for (auto owner = owners->Begin(); owner != owners->End();) {
                owner = json::string_at(*owner, {"uid"}) == object.meta.uid ? owners->Erase(owner)
                                                                            : owner + 1;
            }
            if (!replace(*dependent, *next)) {
                pending_.insert(object.key);
                return false;
            }
        }
    }
    auto next = json::parse(object.body);
    if (!next) return false;
    remove_string(json::find(*next, {"metadata", "finalizers"}), orphan);
    return replace(object, *next);
}

bool Garbage::empty_namespace(const store::Object& object, Instant now) {
    bool wrote = false;
    bool empty = true;
    for (const auto& kind : kinds_.all()) {
        if (kind->scope == crds::Scope::cluster) continue;
        for (const auto list = store_.list(kind->resource()); const auto& inside : list->objects) {
            if (inside->key.ns != object.key.name) continue;
            empty = false;
            if (!inside->meta.deleted_at) {
                wrote = request_deletion(*inside, now, crds::Propagation::background) || wrote;
            }
        }
    }
    if (!empty) {
        if (wrote) pending_.insert(object.key);
        return wrote;
    }
    auto next = json::parse(object.body);
    if (!next) return wrote;
    if (json::Value* spec = json::find(*next, {"spec"})) {
        remove_string(json::find(*spec, {"finalizers"}), "kubernetes");
    }
    return replace(object, *next) || wrote;
}

void Garbage::sweep_events(Instant now) {
    for (const auto list = store_.list("events"); const auto& event : list->objects) {
        if (!event->meta.created_at || now - *event->meta.created_at < options_.events_kept) {
            continue;
        }
        const auto document = json::parse(event->body);
        if (!document) continue;
        const auto last = parse_rfc3339(json::string_at(*document, {"lastTimestamp"}));
        if (last && now - *last < options_.events_kept) continue;
        store::Write write;
        write.kind = store::Write::Kind::remove;
        write.key = event->key;
        write.expected = event->revision;
        settle(event->key, store::write_and_wait(store_, std::move(write)));
    }
}

bool Garbage::request_deletion(const store::Object& object, Instant now,
                               crds::Propagation propagation) {
    const crds::Kind* kind = kinds_.find(object.key.resource);
    const auto document = json::parse(object.body);
    if (!kind || !document) return false;
    const auto next = crds::begin_deletion(*kind, *document, now, propagation);
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
    store::Write write;
    write.key = old.key;
    write.expected = old.revision;
    if (crds::is_finished(next)) {
        write.kind = store::Write::Kind::remove;
    } else {
        write.kind = store::Write::Kind::update;
        write.body = crds::encode_body(next);
    }
    return settle(old.key, store::write_and_wait(store_, std::move(write)));
}

bool Garbage::settle(const Key& key, const Result<store::ObjectPtr>& outcome) {
    if (outcome) return true;
    if (outcome.error().code == Code::not_found) return false;
    pending_.insert(key);  // somebody else wrote first, or the store is away: look again
    if (outcome.error().code != Code::conflict) {
        log_.error("cannot collect", outcome.error(), {{"object", key.text()}});
    }
    return false;
}

}  // namespace atelier::controllers
