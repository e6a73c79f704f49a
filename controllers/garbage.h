// Deletes what nobody owns any more, for every kind alike: dependents whose owners are all gone,
// the foreground and orphan propagations of a deletion, the contents of a namespace that is being
// deleted, Events past their time, and the oldest objects of which there are too many
// (retention.h). Semantics: kubernetes.io, "Garbage Collection"; an owner is known by uid, never by
// name.
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
#include "controllers/follower.h"
#include "controllers/namespace_status.h"
#include "controllers/retention.h"
#include "crds/kind.h"
#include "crds/meta.h"
#include "store/store.h"

namespace atelier::controllers {

struct GarbageOptions {
    Duration events_kept = std::chrono::hours(1);
    std::vector<Retention> retentions = usual_retentions();
    Duration sweep_interval = std::chrono::minutes(1);  // for what no change announces
};

class Garbage {
  public:
    using Options = GarbageOptions;
    // Collaborators outlive it.
    Garbage(store::Store& store, const crds::Kinds& kinds, Log log, Options options = {});

    // Reads what changed since the last call and deletes or releases what follows from it. True
    // when there may be more to do at once: it wrote something, or another writer was quicker.
    bool collect(Instant now);
    // When collect() has something to do without a change in the store.
    Instant next_sweep() const { return next_sweep_; }

  private:
    void read_changes(const crds::Kind& kind);
    void note_removal(const store::Object& object);
    void index(const store::Object& object);
    void unindex(const store::Object& object);
    std::optional<Key> owner_key(const crds::OwnerReference& owner, const std::string& ns) const;
    bool owner_is_gone(const crds::OwnerReference& owner, const std::string& ns) const;

    bool examine(const Key& key, Instant now);
    bool finish_foreground(const store::Object& object, Instant now);
    bool finish_orphan(const store::Object& object);
    bool empty_namespace(const store::Object& object, Instant now);
    bool delete_content(const store::Object& ns, RemainingContent& remaining, Instant now);
    void sweep(Instant now);
    void sweep_events(Instant now);
    void sweep_crowded(Instant now);
    void remove_event(const store::Object& event);

    bool request_deletion(const store::Object& object, Instant now, crds::Propagation propagation);
    // Writes the next state, or removes the object when nothing holds it any more.
    bool replace(const store::Object& old, const json::Document& next);
    bool update(const store::Object& old, const json::Document& next);
    bool settle(const Key& key, const Result<store::ObjectPtr>& outcome);

    store::Store& store_;
    const crds::Kinds& kinds_;
    const Log log_;
    const Options options_;
    std::map<std::string, Follower> followers_;        // by resource
    std::map<std::string, std::set<Key>> dependents_;  // by the owner's uid
    std::set<Key> pending_;                            // to be examined
    // Values of the retentions' indexes whose objects changed since the last sweep, by retention.
    std::map<std::size_t, std::set<std::string>> crowded_;
    bool lost_race_ = false;  // a write was refused because somebody else wrote first
    Instant next_sweep_{};
};

}  // namespace atelier::controllers
