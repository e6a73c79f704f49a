// The watch cache: every object and the recent events of each resource, in memory. All reads of the
// store are answered here. Passive: no thread and no clock inside. Thread-safe.
#pragma once

#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "store/store.h"

namespace atelier::store {

class Cache {
  public:
    // A list that was returned stays readable by list_at() for that long, at most that many lists
    // of one resource.
    static constexpr Duration lists_kept_for = std::chrono::minutes(5);
    static constexpr std::size_t lists_kept = 128;

    // Keeps at most so many events of a resource, and at most so many bytes of the events of all.
    Cache(std::size_t events_kept, std::size_t events_bytes)
        : events_kept_(events_kept), events_bytes_(events_bytes) {}

    ObjectPtr get(const Key& key) const;
    SnapshotPtr list(std::string_view resource, Instant now) const;
    std::vector<ObjectPtr> by_index(const FieldIndex& index, std::string_view value) const;
    Result<SnapshotPtr> list_at(std::string_view resource, Revision revision, Instant now) const;
    Result<std::vector<EventPtr>> events(std::string_view resource, Revision after,
                                         std::size_t most) const;
    Revision revision() const;

    // Replaces everything: the objects as of `newest`, and the events after `floor` that led there,
    // in order.
    void load(std::vector<ObjectPtr> objects, const std::vector<EventPtr>& history, Revision floor,
              Revision newest);
    // The next events, whose revisions go on from revision() without a gap. By one thread at a
    // time.
    void apply(const std::vector<EventPtr>& events);

    // Drops the events up to that revision, for their age.
    void forget(Revision upto);

    // How many objects of each resource there are.
    std::map<std::string, std::size_t> counts() const;

  private:
    struct KeptList {
        SnapshotPtr snapshot;
        Instant used;
        bool paged = false;  // somebody reads it page by page: evicted last
    };
    struct Index {
        const FieldIndex* described = nullptr;
        IndexTable table;
    };
    // What the indexes make of one state of an object, by the name of the index.
    using IndexValues = std::map<std::string_view, IndexTable::Values>;
    struct Shard {
        mutable ObjectTable table;
        mutable SnapshotPtr newest;  // nullptr: changed since
        std::deque<EventPtr> events;
        Revision floor = 0;                 // events up to here are no longer kept
        mutable std::deque<KeptList> kept;  // by revision
        mutable std::map<std::string_view, Index> indexes;
    };

    const Shard* find(std::string_view resource) const;
    Shard& shard(std::string_view resource);
    std::vector<IndexValues> values_of(const std::vector<EventPtr>& events) const;
    void build(const FieldIndex& index) const;
    static void update(Shard& shard, const EventPtr& event, IndexValues values);
    void remember(const Shard& shard, const SnapshotPtr& snapshot, Instant now, bool paged) const;
    // What is freed after the lock is released.
    struct Dropped {
        std::vector<EventPtr> events;
        std::vector<SnapshotPtr> lists;
    };
    void take(Shard& shard, const EventPtr& event, Dropped& dropped);
    void drop_front(Shard& shard, Dropped& dropped);
    void keep_within_bytes(Dropped& dropped);
    static void drop_lists(Shard& shard, Dropped& dropped);

    const std::size_t events_kept_;
    const std::size_t events_bytes_;
    mutable std::mutex mutex_;  // guards what follows; held for moments only
    std::map<std::string, Shard, std::less<>> shards_;
    std::size_t bytes_ = 0;  // of all events that are kept
    Revision floor_ = 0;     // of resources that have no shard yet
    Revision revision_ = 0;
};

}  // namespace atelier::store
