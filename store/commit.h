// What a group of writes amounts to: which succeed, the events they make, and the one transaction
// that makes them true. Pure but for the sealing of secrets.
#pragma once

#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "store/backend.h"
#include "store/seal.h"
#include "store/store.h"

namespace atelier::store {

// A write that waits for its turn.
struct Pending {
    Write write;
    crds::Meta meta;  // of the body, without its revision
    Done done;
    bool joined = false;  // it holds together with the next one: both, or neither
};

struct Commit {
    Batch batch;
    std::vector<EventPtr> events;            // one for each line of the batch's log
    std::vector<Result<ObjectPtr>> answers;  // one for each write; true once the batch is committed

    std::deque<std::string> sealed;  // the batch points here and into the events' objects
};

struct CommitContext {
    Revision base = 0;
    Revision trimmed = 0;
    Instant now;
    const Sealer& sealer;
    const std::function<ObjectPtr(const Key&)>& find;  // the state as of `base`
};

// Each write sees the ones before it. One that cannot be done is answered with its error and leaves
// the others alone, but for those that it is joined with: they get the same answer.
Commit prepare(const std::vector<Pending>& writes, const CommitContext& context);

// One past the last of those that hold together with the first.
std::size_t end_of_joined(const std::vector<Pending>& writes, std::size_t first);

// Whether objects of that resource are sealed, and what binds a sealed one to its place.
bool is_sealed(std::string_view resource);
std::string place_of(const Key& key, Revision revision);

}  // namespace atelier::store
