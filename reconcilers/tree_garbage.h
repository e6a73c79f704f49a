// Collects the trees that no object names any more: old versions of plugins and of compiled
// templates.
#pragma once

#include <set>
#include <string>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "crds/kind.h"
#include "drivers/trees/tree_store.h"
#include "store/store.h"

namespace atelier::reconcilers {

// The digests of `there` that are in use: those that an object of Atelier's kinds names in its
// spec, status or annotations, and those that a compiled template in use names. A PluginUpdate that
// has ended keeps nothing in use, because Plugin and PluginInstall name what it delivered. A
// PluginInstall names what is installed or wanted in its workspace, so the trees of running units
// are always in use. An Error when a compiled template cannot be read just now.
Result<std::set<std::string>> trees_in_use(const store::Store& store, const crds::Kinds& kinds,
                                           drivers::TreeCollection& trees,
                                           const std::set<std::string>& there);

// Passive: collect() does what is due and returns. One thread at a time. Collaborators outlive it.
class TreeGarbage {
  public:
    struct Options {
        Duration interval = std::chrono::minutes(10);
        Duration grace = std::chrono::hours(1);  // also how long a fetch may take to be named
    };
    TreeGarbage(const store::Store& store, const crds::Kinds& kinds, drivers::TreeCollection& trees,
                Metrics& metrics, Log log, Options options);

    void collect(Instant now);
    Instant next() const { return next_; }

  private:
    Result<void> sweep(Instant now);

    const store::Store& store_;
    const crds::Kinds& kinds_;
    drivers::TreeCollection& trees_;
    Gauge& kept_;
    Counter& collected_;
    const Log log_;
    const Options options_;
    Instant next_{};
};

}  // namespace atelier::reconcilers
