// Collects what nobody owns any more, for every kind alike: dependents whose owners are all gone,
// the foreground and orphan propagations of a deletion, the contents of a namespace that is being
// deleted, and Events past their time. Semantics: kubernetes.io, "Garbage Collection"; an owner is
// known by uid, never by name.
//
// Passive: collect() does what is due and returns. One thread at a time.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/result.h"
#include "crds/kind.h"
#include "crds/meta.h"
#include "store/store.h"

namespace atelier::controllers {

struct GarbageOptions {
    Duration events_kept = std::chrono::hours(1);
    Duration sweep_interval = std::chrono::minutes(1);  // for what no change announces
};

class Garbage {
  public:
    using Options = GarbageOptions;
    // Collaborators outlive it.
    Garbage(store::Store& store, const crds::Kinds& kinds, Log log, Options options = {});

    // Reads what changed since the last call and deletes or releases what follows from it. True
    // when it wrote something: there may be more to do.
    bool collect(Instant now);
    // When collect() has something to do without a change in the store.
    Instant next_sweep() const { return next_sweep_; }

  private:
    void read_changes(const crds::Kind& kind);
    void index(const store::Object& object);
    void unindex(const store::Object& object);
    std::optional<Key> owner_key(const crds::OwnerReference& owner, const std::string& ns) const;
    bool owner_is_gone(const crds::OwnerReference& owner, const std::string& ns) const;

    bool examine(const Key& key, Instant now);
    bool finish_foreground(const store::Object& object, Instant now);
    bool finish_orphan(const store::Object& object);
    bool empty_namespace(const store::Object& object, Instant now);
    void sweep_events(Instant now);

    bool request_deletion(const store::Object& object, Instant now, crds::Propagation propagation);
    bool replace(const store::Object& old, const json::Document& next);
    bool settle(const Key& key, const Result<store::ObjectPtr>& outcome);

    store::Store& store_;
    const crds::Kinds& kinds_;
    const Log log_;
    const Options options_;
    std::map<std::string, Revision> cursors_;          // by resource
    std::map<std::string, std::set<Key>> dependents_;  // by the owner's uid
    std::set<Key> pending_;                            // to be examined
    Instant next_sweep_{};
};

}  // namespace atelier::controllers
