// What a controller runs: given a key, make the world agree with that object, a step at least.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "crds/meta.h"
#include "store/store.h"

namespace atelier::reconcilers {

struct Outcome {
    // When to look again without being woken. Absent: only when something changes, or at the
    // resync.
    std::optional<Instant> wake_at;
};

// Something else a reconciler must be woken for: a pure function from a change of another resource
// to keys of its own. Called on the feeder's thread with the store as of that change or later.
struct Interest {
    std::string resource;
    std::function<std::vector<Key>(const store::Event&, const store::Store&)> keys;
};

// Called by several threads at once, never with the same key at the same time. Holds no state
// between calls. An Error is retried with backoff, except invalid, forbidden and unsupported, which
// wait for a change (they are terminal, and the object's status must say so).
class Reconciler {
  public:
    virtual ~Reconciler() = default;
    virtual std::string_view resource() const = 0;  // "workspaces.atelier.dev"
    virtual std::string_view name() const = 0;      // of the controller, in logs and metrics
    virtual std::vector<Interest> interests() const { return {}; }
    // Whether a change of an object of this resource concerns its own reconciler. The default:
    // created, deleted, generation, deletionTimestamp, finalizers, labels or annotations changed;
    // status writes do not.
    virtual bool concerns(const store::Event& event) const;
    virtual Result<Outcome> reconcile(const Key& key, Instant now) = 0;
};

}  // namespace atelier::reconcilers
