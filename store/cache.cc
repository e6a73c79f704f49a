#include "store/cache.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace atelier::store {
namespace {

Error gone(std::string_view resource, Revision revision) {
    return Error{Code::gone, fmt::format("revision {} of {} is no longer kept: list again",
                                         revision, resource)};
}

Error not_yet(Revision revision, Revision newest) {
    return Error{Code::gone, fmt::format("revision {} is not in this history, whose newest is {}: "
                                         "list again",
                                         revision, newest)};
}

// Lists older than the events that clients may still be reading page by page.
constexpr std::size_t old_lists_most = 16;

// What an event holds in memory, about.
std::size_t weight_of(const Event& event) {
    constexpr std::size_t overhead = 512;
    return event.object->body.size() + (event.previous ? event.previous->body.size() : 0) +
           overhead;
}

// So few events may be decoded while readers wait.
constexpr std::size_t caught_up_under_lock = 16;

void follow(IndexTable& table, const FieldIndex& index, const EventPtr& event) {
    if (event->change == Change::deleted) return table.erase(*event->object);
    table.put(event->object, index.values(*event->object));
}

bool event_after(Revision revision, const EventPtr& event) {
    return revision < event->revision;
}

}  // namespace

const Cache::Shard* Cache::find(std::string_view resource) const {
    const auto it = shards_.find(resource);
    return it == shards_.end() ? nullptr : &it->second;
}

Cache::Shard& Cache::shard(std::string_view resource) {
    const auto it = shards_.find(resource);
    if (it != shards_.end()) return it->second;
    Shard& made = shards_[std::string(resource)];
    made.floor = floor_;
    return made;
}

ObjectPtr Cache::get(const Key& key) const {
    const std::lock_guard lock(mutex_);
    const Shard* shard = find(key.resource);
    return shard ? shard->table.find(key.ns, key.name) : nullptr;
}

SnapshotPtr Cache::list(std::string_view resource, Instant now) const {
    const std::lock_guard lock(mutex_);
    const Shard* shard = find(resource);
    if (!shard) return std::make_shared<const Snapshot>(Snapshot{revision_, {}});
    if (!shard->newest || shard->newest->revision != revision_) {
        // The objects are shared with the table: this copies a pointer, not the list.
        shard->newest = std::make_shared<const Snapshot>(Snapshot{revision_, shard->table.list()});
    }
    remember(*shard, shard->newest, now, false);
    return shard->newest;
}

std::vector<ObjectPtr> Cache::by_index(const FieldIndex& index, std::string_view value) const {
    for (;;) {
        {
            const std::lock_guard lock(mutex_);
            const Shard* shard = find(index.resource);
            if (!shard) return {};
            const auto built = shard->indexes.find(index.name);
            if (built != shard->indexes.end()) return built->second.table.find(value);
        }
        build(index);
    }
}

// The values are computed with no lock held, as decoding all objects may take long. What was
// committed meanwhile is caught up with, the last few events under the lock.
void Cache::build(const FieldIndex& index) const {
    ObjectList objects;
    Revision at = 0;
    {
        const std::lock_guard lock(mutex_);
        const Shard* shard = find(index.resource);
        if (!shard) return;
        objects = shard->table.list();
        at = revision_;
    }
    Index made{&index, {}};
    for (const ObjectPtr& object : objects) made.table.put(object, index.values(*object));
    for (;;) {
        std::vector<EventPtr> missed;
        {
            const std::lock_guard lock(mutex_);
            const Shard* shard = find(index.resource);
            // Another thread was quicker, or the events in between are no longer kept.
            if (!shard || shard->indexes.contains(index.name) || shard->floor > at) return;
            const auto first =
                std::upper_bound(shard->events.begin(), shard->events.end(), at, event_after);
            missed.assign(first, shard->events.end());
            if (missed.size() <= caught_up_under_lock) {
                for (const EventPtr& event : missed) follow(made.table, index, event);
                shard->indexes.emplace(index.name, std::move(made));
                return;
            }
            at = revision_;
        }
        for (const EventPtr& event : missed) follow(made.table, index, event);
    }
}

// What each index of its resource makes of each event's object.
std::vector<Cache::IndexValues> Cache::values_of(const std::vector<EventPtr>& events) const {
    std::map<std::string_view, std::vector<const FieldIndex*>> indexes;
    {
        const std::lock_guard lock(mutex_);
        for (const auto& [resource, shard] : shards_) {
            for (const auto& [name, index] : shard.indexes) {
                indexes[index.described->resource].push_back(index.described);
            }
        }
    }
    std::vector<IndexValues> out(events.size());
    for (std::size_t i = 0; i < events.size(); ++i) {
        if (events[i]->change == Change::deleted) continue;
        const Object& object = *events[i]->object;
        const auto of_resource = indexes.find(object.key.resource);
        if (of_resource == indexes.end()) continue;
        for (const FieldIndex* index : of_resource->second) {
            out[i].emplace(index->name, index->values(object));
        }
    }
    return out;
}

void Cache::update(Shard& shard, const EventPtr& event, IndexValues values) {
    for (auto& [name, index] : shard.indexes) {
        if (event->change == Change::deleted) {
            index.table.erase(*event->object);
            continue;
        }
        const auto computed = values.find(name);
        // An index that was registered since the values were computed has none among them.
        index.table.put(event->object, computed != values.end()
                                           ? std::move(computed->second)
                                           : index.described->values(*event->object));
    }
}

void Cache::remember(const Shard& shard, const SnapshotPtr& snapshot, Instant now,
                     bool paged) const {
    auto& kept = shard.kept;
    std::erase_if(kept, [&](const KeptList& k) { return now - k.used > lists_kept_for; });
    auto at = std::lower_bound(
        kept.begin(), kept.end(), snapshot->revision,
        [](const KeptList& k, Revision revision) { return k.snapshot->revision < revision; });
    if (at != kept.end() && at->snapshot->revision == snapshot->revision) {
        at->used = now;
        at->paged = at->paged || paged;
        return;
    }
    kept.insert(at, KeptList{snapshot, now, paged});
    if (kept.size() <= lists_kept) return;
    const auto idle =
        std::find_if(kept.begin(), kept.end(), [](const auto& k) { return !k.paged; });
    kept.erase(idle == kept.end() || idle + 1 == kept.end() ? kept.begin() : idle);
}

Result<SnapshotPtr> Cache::list_at(std::string_view resource, Revision revision,
                                   Instant now) const {
    const std::lock_guard lock(mutex_);
    if (revision > revision_) return not_yet(revision, revision_);
    const Shard* shard = find(resource);
    if (!shard) {
        if (revision < floor_) return gone(resource, revision);
        return std::make_shared<const Snapshot>(Snapshot{revision, {}});
    }
    // The list as it was is the first one kept from then on, with the events between undone.
    auto from =
        std::lower_bound(shard->kept.begin(), shard->kept.end(), revision,
                         [](const KeptList& k, Revision r) { return k.snapshot->revision < r; });
    if (from != shard->kept.end() && from->snapshot->revision == revision) {
        const SnapshotPtr found = from->snapshot;
        remember(*shard, found, now, true);
        return found;
    }
    if (revision < shard->floor) return gone(resource, revision);
    ObjectTable table(from != shard->kept.end() ? from->snapshot->objects : shard->table.list());
    const Revision end = from != shard->kept.end() ? from->snapshot->revision : revision_;
    auto event = std::upper_bound(shard->events.begin(), shard->events.end(), end, event_after);
    while (event != shard->events.begin() && (*std::prev(event))->revision > revision) {
        --event;
        if ((*event)->previous) {
            table.put((*event)->previous);
        } else {
            table.erase((*event)->object->key.ns, (*event)->object->key.name);
        }
    }
    auto snapshot = std::make_shared<const Snapshot>(Snapshot{revision, table.list()});
    remember(*shard, snapshot, now, true);
    return snapshot;
}

Result<std::vector<EventPtr>> Cache::events(std::string_view resource, Revision after,
                                            std::size_t most) const {
    const std::lock_guard lock(mutex_);
    if (after > revision_) return not_yet(after, revision_);
    const Shard* shard = find(resource);
    if (after < (shard ? shard->floor : floor_)) return gone(resource, after);
    std::vector<EventPtr> out;
    if (!shard) return out;
    const auto& events = shard->events;
    // Watchers that keep up ask for the very end.
    if (events.empty() || events.back()->revision <= after) return out;
    const auto first = std::upper_bound(events.begin(), events.end(), after, event_after);
    const auto n = std::min(most, static_cast<std::size_t>(events.end() - first));
    out.assign(first, first + std::ptrdiff_t(n));
    return out;
}

Revision Cache::revision() const {
    const std::lock_guard lock(mutex_);
    return revision_;
}

void Cache::drop_front(Shard& shard, Dropped& dropped) {
    EventPtr& oldest = shard.events.front();
    shard.floor = oldest->revision;
    bytes_ -= weight_of(*oldest);
    dropped.events.push_back(std::move(oldest));
    shard.events.pop_front();
}

void Cache::take(Shard& shard, const EventPtr& event, Dropped& dropped) {
    shard.events.push_back(event);
    bytes_ += weight_of(*event);
    if (shard.events.size() > events_kept_) drop_front(shard, dropped);
    keep_within_bytes(dropped);
}

// The oldest event of all resources goes first, so that one that is written much does not take the
// history of the others.
void Cache::keep_within_bytes(Dropped& dropped) {
    while (bytes_ > events_bytes_) {
        Shard* oldest = nullptr;
        for (auto& [resource, shard] : shards_) {
            if (shard.events.empty()) continue;
            if (!oldest || shard.events.front()->revision < oldest->events.front()->revision) {
                oldest = &shard;
            }
        }
        if (!oldest) return;
        drop_front(*oldest, dropped);
        drop_lists(*oldest, dropped);
    }
}

// Large objects are held by old lists, too: those go that nobody reads page by page, and all but a
// few of the others.
void Cache::drop_lists(Shard& shard, Dropped& dropped) {
    std::size_t paged = 0;
    for (auto list = shard.kept.end(); list != shard.kept.begin();) {
        --list;
        if (list->snapshot->revision >= shard.floor) continue;
        if (list->paged && ++paged <= old_lists_most) continue;
        dropped.lists.push_back(std::move(list->snapshot));
        list = shard.kept.erase(list);
    }
}

void Cache::forget(Revision upto) {
    Dropped dropped;
    const std::lock_guard lock(mutex_);
    for (auto& [resource, shard] : shards_) {
        while (!shard.events.empty() && shard.events.front()->revision <= upto) {
            drop_front(shard, dropped);
        }
    }
}

void Cache::load(std::vector<ObjectPtr> objects, const std::vector<EventPtr>& history,
                 Revision floor, Revision newest) {
    std::sort(objects.begin(), objects.end(),
              [](const ObjectPtr& a, const ObjectPtr& b) { return a->key < b->key; });
    Dropped dropped;
    const std::lock_guard lock(mutex_);
    shards_.clear();
    bytes_ = 0;
    floor_ = floor;
    revision_ = newest;
    for (std::size_t at = 0; at < objects.size();) {
        const std::string& resource = objects[at]->key.resource;
        std::size_t end = at;
        while (end < objects.size() && objects[end]->key.resource == resource) ++end;
        std::vector<ObjectPtr> own(objects.begin() + std::ptrdiff_t(at),
                                   objects.begin() + std::ptrdiff_t(end));
        shard(resource).table = ObjectTable(ObjectList(std::move(own)));
        at = end;
    }
    for (const EventPtr& event : history) {
        take(shard(event->object->key.resource), event, dropped);
    }
}

void Cache::apply(const std::vector<EventPtr>& events) {
    Dropped dropped;
    std::vector<IndexValues> values = values_of(events);
    const std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < events.size(); ++i) {
        const EventPtr& event = events[i];
        CHECK(event->revision == revision_ + 1);
        Shard& changed = shard(event->object->key.resource);
        if (event->change == Change::deleted) {
            changed.table.erase(event->object->key.ns, event->object->key.name);
        } else {
            changed.table.put(event->object);
        }
        update(changed, event, std::move(values[i]));
        changed.newest = nullptr;
        take(changed, event, dropped);
        revision_ = event->revision;
    }
}

std::map<std::string, std::size_t> Cache::counts() const {
    const std::lock_guard lock(mutex_);
    std::map<std::string, std::size_t> out;
    for (const auto& [resource, shard] : shards_) out[resource] = shard.table.size();
    return out;
}

}  // namespace atelier::store
