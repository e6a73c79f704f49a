#include "store/overlay.h"

#include <fmt/format.h>

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
    return tables_.emplace(resource, Table{std::move(base), std::move(now)}).first->second;
}

ObjectPtr Overlay::get(const Key& key) const {
    const std::lock_guard lock(mutex_);
    return table(key.resource).now.find(key.ns, key.name);
}

SnapshotPtr Overlay::list(std::string_view resource) const {
    const std::lock_guard lock(mutex_);
    return std::make_shared<Snapshot>(Snapshot{revision_, table(resource).now.list()});
}

Result<SnapshotPtr> Overlay::list_at(std::string_view resource, Revision revision) const {
    if (revision != this->revision()) {
        return Error{Code::gone, "a preview keeps no earlier lists"};
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
        for (const Write& write : writes) table(write.key.resource);
        const auto tables = tables_;
        const std::size_t events = events_.size();
        const Revision revision = revision_;
        std::vector<ObjectPtr> objects;
        for (Write& write : writes) {
            auto object = apply(write);
            if (!object) {
                tables_ = tables;
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

// As the store decides it (store/store.h): the same errors, and no event when nothing changes.
Result<ObjectPtr> Overlay::apply(Write& write) {
    using Kind = Write::Kind;
    Table& in = table(write.key.resource);
    const ObjectPtr old = in.now.find(write.key.ns, write.key.name);
    const auto refused = [&](Code code, std::string_view why) {
        return Error{code, fmt::format("{}: {}", write.key.text(), why)};
    };
    if (write.kind == Kind::check) {
        if ((old ? old->revision : 0) != write.expected) {
            return refused(Code::conflict, "was changed meanwhile");
        }
        return old;
    }
    if (write.kind == Kind::create && old) return refused(Code::already_exists, "exists already");
    if (write.kind != Kind::create) {
        if (!old) return refused(Code::not_found, "not found");
        if (old->revision != write.expected) {
            return refused(Code::conflict, "was changed meanwhile, read it again");
        }
    }
    if (write.kind == Kind::update && write.body.with(write.expected) == old->body) return old;

    auto next = std::make_shared<Object>();
    next->key = write.key;
    next->revision = revision_ + 1;
    if (write.kind == Kind::remove) {
        next->meta = old->meta;
        next->body = old->body;
    } else {
        next->body = write.body.with(next->revision);
        next->meta = TRY(crds::peek_meta(next->body));
    }
    next->meta.revision = next->revision;
    if (write.key.resource == dropped) return ObjectPtr(std::move(next));

    auto event = std::make_shared<Event>();
    event->change = write.kind == Kind::create   ? Change::added
                    : write.kind == Kind::update ? Change::modified
                                                 : Change::deleted;
    event->revision = next->revision;
    event->object = next;
    event->previous = old;
    events_.push_back(std::move(event));
    revision_ = next->revision;
    if (write.kind == Kind::remove) {
        in.now.erase(write.key.ns, write.key.name);
    } else {
        in.now.put(next);
    }
    return ObjectPtr(std::move(next));
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
    done(Error{Code::unsupported, write.key.text() + ": what was is not written"});
}

void OverlayBase::write_all(std::vector<Write>, AllDone done) {
    done(Error{Code::unsupported, "what was is not written"});
}

std::unique_ptr<Subscription> OverlayBase::on_commit(std::function<void(Revision)>) {
    return std::make_unique<NoSubscription>();
}

}  // namespace atelier::store
