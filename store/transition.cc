#include "store/transition.h"

#include <fmt/format.h>

#include <utility>

#include "store/splice.h"

namespace atelier::store {
namespace {

using Kind = Write::Kind;

Error refused(Code code, const Key& key, std::string_view why) {
    return Error{code, fmt::format("{}: {}", key.text(), why)};
}

Change change_of(Kind kind) {
    CHECK(kind != Kind::check);
    if (kind == Kind::create) return Change::added;
    return kind == Kind::update ? Change::modified : Change::deleted;
}

}  // namespace

Result<crds::Meta> checked_meta(const Write& write) {
    if (write.kind == Kind::remove || write.kind == Kind::check) return crds::Meta{};
    if (write.body.revision_at > write.body.text.size()) {
        return refused(Code::invalid, write.key, "the body has no place for its resourceVersion");
    }
    crds::Meta meta = TRY(crds::peek_meta(write.body.with(0)));
    if (meta.name != write.key.name || meta.ns != write.key.ns) {
        return refused(Code::invalid, write.key, "the metadata of the body names another object");
    }
    return meta;
}

Result<void> check_allowed(const Write& write, const ObjectPtr& now) {
    if (write.kind == Kind::create) {
        if (now) return refused(Code::already_exists, write.key, "exists already");
        return {};
    }
    if (write.kind == Kind::check && (!now || write.expected == 0)) {
        if (!now && write.expected == 0) return {};
        return refused(Code::conflict, write.key,
                       now ? "was created meanwhile" : "was removed meanwhile");
    }
    if (!now) return refused(Code::not_found, write.key, "not found");
    if (now->revision != write.expected) {
        return refused(Code::conflict, write.key,
                       fmt::format("is at revision {}, not {}: it was changed meanwhile, read it "
                                   "again",
                                   now->revision, write.expected));
    }
    return {};
}

bool changes_nothing(const Write& write, const ObjectPtr& now) {
    return write.kind == Kind::check ||
           (write.kind == Kind::update && same_body(write.body, write.expected, now->body));
}

Result<ObjectPtr> next_state(const Write& write, const crds::Meta& meta, const ObjectPtr& now,
                             Revision revision) {
    auto object = std::make_shared<Object>();
    object->key = write.key;
    object->revision = revision;
    if (write.kind == Kind::remove) {
        auto body = with_revision(now->body, revision);
        if (!body) {
            return refused(Code::internal, write.key, "the stored body has no resourceVersion");
        }
        object->meta = now->meta;
        object->body = *std::move(body);
    } else {
        object->meta = meta;
        object->body = write.body.with(revision);
    }
    object->meta.revision = revision;
    return ObjectPtr(std::move(object));
}

EventPtr event_of(const Write& write, const ObjectPtr& before, const ObjectPtr& after) {
    auto event = std::make_shared<Event>();
    event->change = change_of(write.kind);
    event->revision = after->revision;
    event->object = after;
    event->previous = before;
    return event;
}

}  // namespace atelier::store
