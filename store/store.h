// The one durable truth: every object, and every change to it, in commit order.
//
// Thread-safe. Reads are served from memory and never wait for the disk. A write is on disk before
// its `done` is called, and is seen by readers and watchers before that call, never before the
// commit. Revisions are one gapless sequence over all kinds: revision order is commit order.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "crds/lifecycle.h"
#include "crds/meta.h"
#include "store/field_index.h"
#include "store/object.h"

namespace atelier::store {

enum class Change { added, modified, deleted };

struct Event {
    Change change = Change::added;
    Revision revision = 0;
    ObjectPtr object;    // for deleted: the last state, with the revision of the deletion
    ObjectPtr previous;  // nullptr for added
};
using EventPtr = std::shared_ptr<const Event>;

// All objects of one resource as of one revision, sorted by namespace and name. Immutable. Hold the
// pointer while walking the objects: `for (… : list(x)->objects)` would outlive it.
struct Snapshot {
    Revision revision = 0;
    ObjectList objects;
};
using SnapshotPtr = std::shared_ptr<const Snapshot>;

// One write. `expected` is what the writer saw.
struct Write {
    // check: nothing is written, and what is written together with it holds only if the object is
    // at `expected` (0: is not there), else Code::conflict.
    enum class Kind { create, update, remove, check };
    Kind kind = Kind::create;
    Key key;
    crds::Body body;        // empty for remove and check
    Revision expected = 0;  // of update and remove: the object's revision, or Code::conflict
};
// Called once, with no lock held, on the thread that committed (inside write() when it is refused
// there). The object as stored; for remove, its last state with the revision of the removal.
// already_exists, not_found, conflict, invalid, exhausted (disk or queue full), unavailable. After
// unavailable the write may still come to be seen, when the answer of the database was lost.
using Done = std::function<void(Result<ObjectPtr>)>;
// The same for writes that hold together: the objects in their order, or why there is none of them.
using AllDone = std::function<void(Result<std::vector<ObjectPtr>>)>;

// Ends the subscription when destroyed; waits for a running call.
class Subscription {
  public:
    virtual ~Subscription() = default;
};

class Store {
  public:
    virtual ~Store() = default;

    virtual ObjectPtr get(const Key& key) const = 0;  // nullptr: there is none
    virtual SnapshotPtr list(std::string_view resource) const = 0;
    // The objects that the index has under the value, as of the newest commit, sorted by namespace
    // and name. Costs as much as it finds; the first lookup of an index costs one pass over the
    // objects of its resource.
    virtual std::vector<ObjectPtr> by_index(const FieldIndex& index,
                                            std::string_view value) const = 0;
    // The list as of exactly that revision; Code::gone when it is no longer kept.
    virtual Result<SnapshotPtr> list_at(std::string_view resource, Revision revision) const = 0;
    // What happened to the resource after `after`, oldest first, at most `most`. Code::gone when
    // history no longer reaches back that far: list again.
    virtual Result<std::vector<EventPtr>> events(std::string_view resource, Revision after,
                                                 std::size_t most) const = 0;
    // The newest committed revision.
    virtual Revision revision() const = 0;

    // An update to the very body that is stored keeps its revision and makes no event.
    virtual void write(Write write, Done done) = 0;
    // All of the writes, or none: one transaction, and their revisions follow one another. Each
    // sees the ones before it. The first that is refused is the answer. A reader that asks for one
    // list sees all of what they do to it or nothing of it.
    virtual void write_all(std::vector<Write> writes, AllDone done) = 0;

    // `wake` is called after each commit with the newest revision; it must not block.
    virtual std::unique_ptr<Subscription> on_commit(std::function<void(Revision)> wake) = 0;

    // Names the database, from when it was made on; a copy of it has the same. Empty for a store in
    // memory alone, or over another one.
    virtual std::string identity() const { return {}; }

    // Whether writes can succeed now; for readiness.
    virtual Result<void> healthy() const = 0;
};

// Writes and waits for the outcome. Not from a Done or an on_commit call.
Result<ObjectPtr> write_and_wait(Store& store, Write write);
Result<std::vector<ObjectPtr>> write_all_and_wait(Store& store, std::vector<Write> writes);

}  // namespace atelier::store
