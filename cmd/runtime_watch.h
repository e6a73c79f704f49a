// Watches the runtimes: whether they answer, and what happens in them.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/result.h"
#include "cmd/runtimes.h"
#include "crds/meta.h"
#include "drivers/runtime.h"

namespace atelier::cmd {

// Two threads for each runtime. events-<name> turns events of the runtime into keys of Workspaces,
// and reconnects with backoff. ping-<name> asks every few seconds whether the runtime answers, so
// that health() needs no call that may hang. When an event may have been missed (at the start,
// after the runtime did not answer, after the events broke off, at every resync), it also lists the
// units and reports the keys of all of them. A unit whose Workspace is no longer in the store is
// found this way.
class RuntimeWatch {
  public:
    struct Options {
        drivers::Labels having;
        Duration ping_every = std::chrono::seconds(5);
        Duration resync = std::chrono::minutes(10);
    };
    // Called from those threads, several at a time.
    struct Hints {
        std::function<void(const Key&)> one;  // a Workspace, which may not exist
        std::function<void()> all;            // every Workspace that exists
    };

    // `runtimes` and `clock` must outlive it.
    RuntimeWatch(OwnedRuntimes& runtimes, Options options, Hints hints, const Clock& clock,
                 Log log);
    ~RuntimeWatch();  // ends the threads

    // The error of the last ping or listing of that runtime; success before the first one.
    // Thread-safe.
    Result<void> health(const std::string& runtime) const;

  private:
    struct Watched;
    void check(const std::stop_token& stop, Watched& watched);
    void follow(const std::stop_token& stop, Watched& watched);

    const Options options_;
    const Hints hints_;
    const Clock& clock_;
    const Log log_;
    std::map<std::string, std::unique_ptr<Watched>> watched_;  // constant after construction
    std::vector<std::jthread> threads_;
};

// The keys of the Workspaces in the labels of these units, sorted, each once.
std::vector<Key> workspaces_of(const std::vector<drivers::Unit>& units);

}  // namespace atelier::cmd
