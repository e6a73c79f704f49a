// What a group of writes amounts to: which of them succeed, their events, and the one transaction
// that stores their effects. Pure, except that sealing a Secret takes a random nonce.
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
    bool joined = false;  // committed with the next one, or neither is
};

struct Commit {
    Batch batch;
    std::vector<EventPtr> events;  // one for each line of the batch's log
    std::vector<Result<ObjectPtr>>
        answers;  // one for each write; given once the batch is committed

    std::deque<std::string>
        sealed;  // owns bytes that the batch points to; the others are the events'
};

struct CommitContext {
    Revision base = 0;
    Revision trimmed = 0;
    Instant now;
    const Sealer& sealer;
    const std::function<ObjectPtr(const Key&)>& find;  // the state as of `base`
};

// Each write sees the effects of those before it. One that is refused is answered with its error
// and does not affect the others, except those that it is joined with: they get the same answer.
Commit prepare(const std::vector<Pending>& writes, const CommitContext& context);

// One past the last write that is joined with the one at `first`.
std::size_t end_of_joined(const std::vector<Pending>& writes, std::size_t first);

// Whether objects of that resource are sealed, and the associated data that binds a sealed one to
// its key and revision.
bool is_sealed(std::string_view resource);
std::string place_of(const Key& key, Revision revision);

}  // namespace atelier::store
