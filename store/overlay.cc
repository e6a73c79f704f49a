#include "store/overlay.h"

#include <fmt/format.h>

#include "store/transition.h"

namespace atelier::store {
namespace {

constexpr std::string_view dropped = "events";

class NoSubscription final : public Subscription {};

}  // namespace

Overlay::Table& Overlay::table(std::string_view resource) const {
    const auto it = tables_.find(resource);
    if (it != tables_.end()) return it->second;
    auto base = base_.list(resource);
    ObjectTable now(base->objects);
    return tables_.emplace(resource, Table{std::move(base), std::move(now), nullptr}).first->second;
}

ObjectPtr Overlay::get(const Key& key) const {
    const std::lock_guard lock(mutex_);
    return table(key.resource).now.find(key.ns, key.name);
}

SnapshotPtr Overlay::list(std::string_view resource) const {
    const std::lock_guard lock(mutex_);
    Table& in = table(resource);
    if (!in.newest || in.newest->revision != revision_) {
        in.newest = std::make_shared<const Snapshot>(Snapshot{revision_, in.now.list()});
    }
    return in.newest;
}

std::vector<ObjectPtr> Overlay::by_index(const FieldIndex& index, std::string_view value) const {
    const std::lock_guard lock(mutex_);
    return indexes_[std::string(index.resource)].now.find(
        index, value, [&] { return table(index.resource).now.list(); });
}

std::vector<ObjectPtr> Overlay::by_index_before(const FieldIndex& index,
                                                std::string_view value) const {
    const std::lock_guard lock(mutex_);
    return indexes_[std::string(index.resource)].before.find(
        index, value, [&] { return table(index.resource).base->objects; });
}

Result<SnapshotPtr> Overlay::list_at(std::string_view resource, Revision revision) const {
    if (revision != this->revision()) {
        return Error{Code::gone,
                     fmt::format("a forecast keeps only its newest list of {}, of revision {}",
                                 resource, this->revision())};
    }
    return list(resource);
}

Result<std::vector<EventPtr>> Overlay::events(std::string_view resource, Revision after,
                                              std::size_t most) const {
    std::vector<EventPtr> found;
    for (EventPtr& event : written_after(after)) {
        if (found.size() < most && event->object->key.resource == resource) {
            found.push_back(std::move(event));
        }
    }
    return found;
}

Revision Overlay::revision() const {
    const std::lock_guard lock(mutex_);
    return revision_;
}

void Overlay::write(Write write, Done done) {
    Result<ObjectPtr> answer = [&] {
        const std::lock_guard lock(mutex_);
        return apply(write);
    }();
    done(std::move(answer));
}

void Overlay::write_all(std::vector<Write> writes, AllDone done) {
    Result<std::vector<ObjectPtr>> answer = [&] {
        const std::lock_guard lock(mutex_);
        std::map<std::string, ObjectList, std::less<>> before;
        for (const Write& write : writes) {
            if (before.contains(write.key.resource)) continue;
            before.emplace(write.key.resource, table(write.key.resource).now.list());
        }
        const std::size_t events = events_.size();
        const Revision revision = revision_;
        std::vector<ObjectPtr> objects;
        for (const Write& write : writes) {
            auto object = apply(write);
            if (!object) {
                for (auto& [resource, list] : before) {
                    Table& in = tables_.find(resource)->second;
                    in.now = ObjectTable(std::move(list));
                    in.newest = nullptr;
                    indexes_[resource].now = {};
                }
                events_.resize(events);
                revision_ = revision;
                return Result<std::vector<ObjectPtr>>(object.error());
            }
            objects.push_back(*std::move(object));
        }
        return Result<std::vector<ObjectPtr>>(std::move(objects));
    }();
    done(std::move(answer));
}

Result<ObjectPtr> Overlay::apply(const Write& write) {
    const crds::Meta meta = TRY(checked_meta(write));
    Table& in = table(write.key.resource);
    const ObjectPtr old = in.now.find(write.key.ns, write.key.name);
    TRY(check_allowed(write, old));
    if (changes_nothing(write, old)) return old;
    const ObjectPtr next = TRY(next_state(write, meta, old, revision_ + 1));
    if (write.key.resource == dropped) return next;

    events_.push_back(event_of(write, old, next));
    revision_ = next->revision;
    in.newest = nullptr;
    IndexSet& indexes = indexes_[write.key.resource].now;
    if (write.kind == Write::Kind::remove) {
        in.now.erase(write.key.ns, write.key.name);
        indexes.erase(*next);
    } else {
        in.now.put(next);
        indexes.put(next);
    }
    return next;
}

std::unique_ptr<Subscription> Overlay::on_commit(std::function<void(Revision)>) {
    return std::make_unique<NoSubscription>();
}

std::vector<EventPtr> Overlay::written_after(Revision revision) const {
    const std::lock_guard lock(mutex_);
    auto first = events_.end();
    while (first != events_.begin() && (*std::prev(first))->revision > revision) --first;
    return {first, events_.end()};
}

std::map<Key, Overlay::Changed> Overlay::changed() const {
    const std::lock_guard lock(mutex_);
    std::map<Key, Changed> out;
    for (const EventPtr& event : events_) {
        const Key& key = event->object->key;
        if (out.contains(key)) continue;
        const Table& in = tables_.at(key.resource);
        Changed changed{in.base->objects.find(key.ns, key.name), in.now.find(key.ns, key.name)};
        if (changed.before != changed.after) out.emplace(key, std::move(changed));
    }
    return out;
}

std::vector<Write> Overlay::writes() const {
    using Kind = Write::Kind;
    std::vector<Write> out;
    for (const auto& [key, change] : changed()) {
        Write write;
        write.key = key;
        write.kind = !change.after ? Kind::remove : !change.before ? Kind::create : Kind::update;
        write.expected = change.before ? change.before->revision : 0;
        if (change.after) {
            const auto object = json::parse(change.after->body);
            CHECK(object);
            write.body = crds::encode_body(*object);
        }
        out.push_back(std::move(write));
    }
    return out;
}

ObjectPtr Overlay::before(const Key& key) const {
    const std::lock_guard lock(mutex_);
    return table(key.resource).base->objects.find(key.ns, key.name);
}

SnapshotPtr Overlay::list_before(std::string_view resource) const {
    const std::lock_guard lock(mutex_);
    return table(resource).base;
}

void OverlayBase::write(Write write, Done done) {
    done(Error{Code::unsupported,
               write.key.text() + ": the state before a forecast cannot be written"});
}

void OverlayBase::write_all(std::vector<Write>, AllDone done) {
    done(Error{Code::unsupported, "the state before a forecast cannot be written"});
}

std::unique_ptr<Subscription> OverlayBase::on_commit(std::function<void(Revision)>) {
    return std::make_unique<NoSubscription>();
}

}  // namespace atelier::store
