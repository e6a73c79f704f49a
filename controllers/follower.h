// Reads what happened to one resource, in order and without a gap: the events since the last call,
// or the whole list when there was no call yet or the store's history no longer reaches back that
// far. Passive, and used by one thread at a time.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "store/store.h"

namespace atelier::controllers {

class Follower {
  public:
    using Listed = std::function<void(const store::Snapshot&)>;
    using Changed = std::function<void(const store::Event&)>;

    // The store outlives it.
    Follower(const store::Store& store, std::string resource)
        : store_(store), resource_(std::move(resource)) {}

    // Calls `listed` with all objects, after which every earlier event is void, or `changed` for
    // each event, oldest first; neither when nothing happened. True when it called `listed`.
    bool follow(const Listed& listed, const Changed& changed);
    // The next call goes on after this revision, as if the list of that revision had been read.
    void start_after(Revision revision) { cursor_ = revision; }
    // What has been read; nothing before the first call.
    std::optional<Revision> cursor() const { return cursor_; }

  private:
    const store::Store& store_;
    const std::string resource_;
    std::optional<Revision> cursor_;
};

}  // namespace atelier::controllers
