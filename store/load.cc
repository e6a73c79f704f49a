// Reads what the database holds into the cache: at the start, and after it could not be reached.
#include <fmt/format.h>

#include <deque>
#include <unordered_map>
#include <utility>

#include "store/cached_store.h"

namespace atelier::store {
namespace {

// Whether these are the lines of that batch, byte for byte.
bool same_lines(const std::vector<StoredEntry>& lines, const Batch& batch) {
    if (lines.size() != batch.log.size()) return false;
    for (std::size_t i = 0; i < lines.size(); ++i) {
        const StoredEntry& line = lines[i];
        const Entry& entry = batch.log[i];
        if (line.change != entry.change || line.revision != entry.revision ||
            line.key != *entry.key || line.bytes != entry.content.bytes) {
            return false;
        }
    }
    return true;
}

}  // namespace

Result<ObjectPtr> CachedStore::object_of(const Key& key, Revision revision, std::string bytes,
                                         const std::string& key_id) const {
    auto object = std::make_shared<Object>();
    object->key = key;
    object->revision = revision;
    if (key_id.empty()) {
        object->body = std::move(bytes);
    } else {
        auto opened = sealer_.open(bytes, key_id, place_of(key, revision));
        if (!opened) return opened.error().in(key.text());
        object->body = *std::move(opened);
    }
    auto meta = crds::peek_meta(object->body);
    if (!meta) return meta.error().in(key.text());
    object->meta = *std::move(meta);
    object->meta.revision = revision;
    return ObjectPtr(std::move(object));
}

Result<void> CachedStore::load() {
    const Marks marks = TRY(backend_->marks());
    if (identity_.empty()) identity_ = TRY(backend_->meta("identity"));
    std::vector<ObjectPtr> objects;
    std::unordered_map<Revision, ObjectPtr> by_revision;
    logged_ = 0;
    const auto take_object = [&](StoredObject&& row) -> Result<void> {
        ObjectPtr object = TRY(object_of(row.key, row.revision, std::move(row.bytes), row.key_id));
        objects.push_back(std::move(object));
        return {};
    };
    TRY(backend_->read_objects(take_object));
    // No more than the rings hold if one resource made all of it.
    const auto most = static_cast<Revision>(options_.events_kept) * 2;
    Revision floor = std::max(marks.trimmed, marks.newest - most);
    for (const ObjectPtr& object : objects) {
        if (object->revision > floor) by_revision.emplace(object->revision, object);
    }
    std::deque<EventPtr> history;
    std::size_t held = 0;  // bytes of the history
    const auto take_line = [&](StoredEntry&& line) -> Result<void> {
        auto event = std::make_shared<Event>();
        event->change = line.change;
        event->revision = line.revision;
        ObjectPtr& object = by_revision[line.revision];
        if (!object) {
            object = TRY(object_of(line.key, line.revision, std::move(line.bytes), line.key_id));
        }
        event->object = object;
        if (line.previous != 0) {
            ObjectPtr& previous = by_revision[line.previous];
            if (!previous && !line.previous_bytes.empty()) {
                previous = TRY(object_of(line.key, line.previous, std::move(line.previous_bytes),
                                         line.previous_key_id));
            }
            event->previous = previous;
        }
        if (line.change != Change::added && !event->previous) {
            // Without the state before it, watchers with a selector cannot be given this event.
            history.clear();
            held = 0;
            floor = line.revision;
            return {};
        }
        held += event->object->body.size();
        logged_ += event->object->body.size();
        history.push_back(std::move(event));
        // The cache would not keep it; and the log may be larger than the memory.
        while (held > options_.events_bytes) {
            floor = history.front()->revision;
            held -= history.front()->object->body.size();
            by_revision.erase(floor);
            history.pop_front();
        }
        return {};
    };
    TRY(backend_->read_log(floor, take_line));
    trimmed_ = trim_to_ = marks.trimmed;
    trimmed_bytes_ = trim_to_bytes_ = 0;
    time_marks_ = {{clock_.now(), marks.trimmed, 0}, {clock_.now(), marks.newest, logged_}};
    for (auto& [resource, counted] : counted_) {
        counted.objects = 0;
        counted.gauge->set(0);
    }
    cache_.load(std::move(objects), {history.begin(), history.end()}, floor, marks.newest);
    for (const auto& [resource, n] : cache_.counts()) {
        Counted& counted = counted_[resource];
        counted.gauge =
            &metrics_.gauge("atelier_store_objects", "Objects stored.", {{"resource", resource}});
        counted.objects = static_cast<double>(n);
        counted.gauge->set(counted.objects);
    }
    meters_.revision.set(static_cast<double>(marks.newest));
    mark_time();
    return {};
}

// Brings the cache up to the database. True when what was missing is the commit itself: its
// answer had been lost on the way.
Result<bool> CachedStore::settle(const Commit* commit) {
    const Marks marks = TRY(backend_->marks());
    const Revision base = cache_.revision();
    if (marks.newest < base) {
        return Error{Code::internal, fmt::format("the database is at revision {}, before {}, which "
                                                 "was committed: it was restored or replaced; "
                                                 "restart the server",
                                                 marks.newest, base)};
    }
    if (marks.trimmed > base) {
        TRY(load());
        behind_ = false;
        return false;
    }
    std::vector<StoredEntry> lines;
    const auto take_line = [&](StoredEntry&& line) -> Result<void> {
        lines.push_back(std::move(line));
        return {};
    };
    TRY(backend_->read_log(base, take_line));
    behind_ = false;
    if (commit && same_lines(lines, commit->batch)) return true;
    for (StoredEntry& line : lines) {
        auto event = std::make_shared<Event>();
        event->change = line.change;
        event->revision = line.revision;
        event->object = TRY(object_of(line.key, line.revision, std::move(line.bytes), line.key_id));
        event->previous = cache_.get(line.key);
        publish({std::move(event)});
    }
    return false;
}

}  // namespace atelier::store
