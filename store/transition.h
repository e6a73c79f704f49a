// What one write makes of one object: the rules that every Store shares, so that a forecast on an
// Overlay meets the refusals that the database would give. Pure.
#pragma once

#include "base/result.h"
#include "store/store.h"

namespace atelier::store {

// The metadata of the write's body, without its revision; empty for remove and check. Code::invalid
// when the body is no object, has no place for its resourceVersion, or names another object than
// the key.
Result<crds::Meta> checked_meta(const Write& write);

// Whether the write may be done to the object as it is now (nullptr: there is none); else the error
// that Store::write() promises.
Result<void> check_allowed(const Write& write, const ObjectPtr& now);

// Whether an allowed write leaves everything as it is: a check, or an update to the stored body.
bool changes_nothing(const Write& write, const ObjectPtr& now);

// The object after an allowed write; for remove, its last state with the revision of the removal.
// `meta` is what checked_meta() gave.
Result<ObjectPtr> next_state(const Write& write, const crds::Meta& meta, const ObjectPtr& now,
                             Revision revision);

// The event of that change. Not for a check.
EventPtr event_of(const Write& write, const ObjectPtr& before, const ObjectPtr& after);

}  // namespace atelier::store
