// What the store needs of a database: it commits one transaction at a time, and returns everything
// when the server starts. SQLite, PostgreSQL and memory behave alike; tests/store runs one suite on
// all three.
//
// There are four tables (store/schema.h): `counter`, one row with the newest revision; `objects`,
// the current state; `log`, the changes, one row for each revision; `meta`. A transaction first
// moves the counter on by compare-and-swap. So transactions are serial whichever process makes
// them, and a revision that is not in the log does not exist.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "store/store.h"

namespace atelier::store {

// The bytes of a body as the database gets them: JSON, or encrypted ("sealed") under the named key.
struct Content {
    std::string_view bytes;
    std::string_view key_id = {};  // empty: not sealed
};

// One line of the log.
struct Entry {
    Change change = Change::added;
    const Key* key = nullptr;
    Revision revision = 0;
    Revision previous = 0;  // of the state before; 0 for added
    Content content;
    // The state before this change, when the log no longer holds it; else without bytes.
    Content previous_content = {};
};

// What all writes of a batch to one object amount to.
struct Effect {
    const Key* key = nullptr;
    Revision expected = 0;  // of the state that must be there; 0: the object must not exist
    Revision revision = 0;  // of the state that the batch leaves; 0: the object is removed
    std::size_t line = 0;   // index of the log entry that leaves it
    std::string_view uid;
    Content content;
};

// Everything pointed to outlives the call of commit().
struct Batch {
    Revision base = 0;  // the counter's value before the batch
    Instant at;
    std::vector<Entry> log;  // base + 1, base + 2, …
    std::vector<Effect> effects;
};

struct StoredObject {
    Key key;
    Revision revision = 0;
    std::string bytes;
    std::string key_id;
};

struct StoredEntry {
    Change change = Change::added;
    Key key;
    Revision revision = 0;
    Revision previous = 0;
    std::string bytes;
    std::string key_id;
    std::string previous_bytes;
    std::string previous_key_id;
};

struct Marks {
    Revision newest = 0;
    Revision trimmed = 0;  // the log has every revision after this one
};

// A sealed content as the database has it, to be sealed under another key.
struct SealedContent {
    Key key;
    Revision revision = 0;
    std::string bytes;
    std::string key_id;
};

enum class Outcome {
    committed,
    overtaken  // nothing was written: the counter is not at `base`, because another writer moved it
};

// Used by one thread at a time. Codes: exhausted (the disk is full), unavailable (the database
// cannot be reached, or another server uses it; after commit() also: the outcome is not known),
// invalid (the database refuses one of the values), internal.
class Backend {
  public:
    virtual ~Backend() = default;

    virtual Result<Marks> marks() = 0;
    // Every object, in no order. The visitor's error ends the walk and is returned.
    virtual Result<void> read_objects(const std::function<Result<void>(StoredObject&&)>& visit) = 0;
    // The log after a revision, oldest first.
    virtual Result<void> read_log(Revision after,
                                  const std::function<Result<void>(StoredEntry&&)>& visit) = 0;

    // Commits all of the batch durably, or nothing of it.
    virtual Result<Outcome> commit(const Batch& batch) = 0;

    // Removes at most `most` lines of the log up to the revision `upto`, but none that a later line
    // refers to as the state before it. Returns how many it removed.
    virtual Result<std::size_t> trim(Revision upto, std::size_t most) = 0;

    // Gives a part of the space that trim() left back to the file system, a step at a time. True
    // when there is more.
    virtual Result<bool> shrink() { return false; }

    // A value of `meta`; empty when it is absent.
    virtual Result<std::string> meta(std::string_view name) = 0;
    virtual Result<void> set_meta(std::string_view name, std::string_view value) = 0;

    // Replaces every sealed content, of objects and of the log, by what `anew` returns for it,
    // which is sealed under the key `key_id`, and sets meta `key_id`: all of it durably, or
    // nothing. The old bytes are overwritten in the file. Returns how many contents there were.
    using Reseal = std::function<Result<std::string>(const SealedContent&)>;
    virtual Result<std::size_t> reseal(const Reseal& anew, std::string_view key_id) = 0;

    // Whether the database can be reached. Writes nothing.
    virtual Result<void> ping() = 0;
    // Writes a row without meaning, durably: whether a commit could succeed now.
    virtual Result<void> probe() = 0;
};

}  // namespace atelier::store
