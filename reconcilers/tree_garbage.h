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

// The digests of `there` that an object of Atelier's kinds names anywhere: spec, status or
// annotation; and those that a compiled template names which is named itself. A PluginUpdate that
// has ended names none, for what it brought is named by Plugin and PluginInstall. What is installed
// in a workspace, or was asked for there, is named by its PluginInstall: what a running unit has is
// therefore always among them. An Error when a compiled template cannot be read just now.
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
