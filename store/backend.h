// What the store asks of a database: to keep one transaction at a time, and to give everything back
// at the start. SQLite, PostgreSQL and memory answer alike; tests/store runs one suite on all
// three.
//
// Four tables (store/schema.h): `counter`, one row with the newest revision; `objects`, the current
// state; `log`, what happened, one row a revision; `meta`. A transaction moves the counter on by
// compare-and-swap before anything else, so transactions follow one another whichever process makes
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

// The bytes of a body as the database gets them: JSON, or sealed under the key named.
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
    // The state before, where the log does not hold it (any more); else without bytes.
    Content previous_content = {};
};

// What a batch makes of one object, all its writes to it taken together.
struct Effect {
    const Key* key = nullptr;
    Revision expected = 0;  // what must be there; 0: nothing
    Revision revision = 0;  // what will be there; 0: nothing
    std::size_t line = 0;   // index of the log entry that made it so
    std::string_view uid;
    Content content;
};

// Everything pointed to outlives the call of commit().
struct Batch {
    Revision base = 0;  // the revision it follows
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
    Revision trimmed = 0;  // the log is whole after this revision
};

// A sealed content as it is, to be sealed anew.
struct SealedContent {
    Key key;
    Revision revision = 0;
    std::string bytes;
    std::string key_id;
};

enum class Outcome {
    committed,
    overtaken  // nothing was written: the counter is not at `base`, somebody else has written
};

// Used by one thread at a time. Codes: exhausted (no room), unavailable (the database cannot be
// reached, or is in use by another server; after commit() also: the outcome is not known), invalid
// (the database refuses one of the values), internal.
class Backend {
  public:
    virtual ~Backend() = default;

    virtual Result<Marks> marks() = 0;
    // Every object, in no order. The visitor's error ends the walk and is returned.
    virtual Result<void> read_objects(const std::function<Result<void>(StoredObject&&)>& visit) = 0;
    // The log after a revision, oldest first.
    virtual Result<void> read_log(Revision after,
                                  const std::function<Result<void>(StoredEntry&&)>& visit) = 0;

    // All of the batch durably, or nothing of it.
    virtual Result<Outcome> commit(const Batch& batch) = 0;

    // Removes at most `most` lines of the log up to `upto`, but none that a later line still needs
    // as its state before. Returns how many it removed.
    virtual Result<std::size_t> trim(Revision upto, std::size_t most) = 0;

    // A value of `meta`; empty when it is absent.
    virtual Result<std::string> meta(std::string_view name) = 0;
    virtual Result<void> set_meta(std::string_view name, std::string_view value) = 0;

    // Replaces every sealed content, of objects and of the log, by what `anew` makes of it, sealed
    // under the key `key_id`, and sets meta `key_id`: all of it durably, or nothing. What was there
    // is overwritten. Returns how many contents there were.
    using Reseal = std::function<Result<std::string>(const SealedContent&)>;
    virtual Result<std::size_t> reseal(const Reseal& anew, std::string_view key_id) = 0;

    // Whether the database can be reached. Writes nothing.
    virtual Result<void> ping() = 0;
    // Writes something without meaning, durably: whether a commit could succeed now.
    virtual Result<void> probe() = 0;
};

}  // namespace atelier::store
