// What a controller runs: given a key, it brings the world at least one step closer to that object.
//
// Every reconciler has the same parts, by the same names: observe() reads the world and changes
// nothing; plan() is pure and says what to do; execute() carries out one action; status() is pure
// and follows from what is observed after acting; events() says which Events are recorded.
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
    // When to reconcile again although nothing has changed. Absent: only at a change, or at the
    // resync.
    std::optional<Instant> wake_at;
};

// Another resource whose changes a reconciler is woken for: a pure function from such a change to
// keys of its own kind. Called on the feeder's thread, with the store as of that change or later.
struct Interest {
    std::string resource;
    std::function<std::vector<Key>(const store::Event&, const store::Store&)> keys;
};

// Called by several threads at once, never with the same key at the same time. Holds no state
// between calls. An Error is retried with backoff, except invalid, forbidden and unsupported, which
// wait for a change: they are terminal, and the status of the object must say so.
class Reconciler {
  public:
    virtual ~Reconciler() = default;
    virtual std::string_view resource() const = 0;  // "workspaces.atelier.dev"
    virtual std::string_view name() const = 0;      // of the controller, in logs and metrics
    virtual std::vector<Interest> interests() const { return {}; }
    // Whether a change of an object of this resource wakes its own reconciler. The default:
    // creation, deletion, and a change of generation, deletionTimestamp, finalizers, labels or
    // annotations; writes of status do not.
    virtual bool concerns(const store::Event& event) const;
    virtual Result<Outcome> reconcile(const Key& key, Instant now) = 0;
};

}  // namespace atelier::reconcilers
