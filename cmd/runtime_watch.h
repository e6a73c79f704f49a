// Keeps an eye on the runtimes: whether they answer, and what happens in them unasked.
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

// Two threads a runtime. events-<name> turns what happens there into keys of Workspaces, and makes
// a broken connection again with backoff. look-<name> lists the units every few seconds, one call,
// which tells whether the runtime is well without a probe waiting for a daemon. When something may
// have been missed, it also gives the keys of all units found: at the start, after the runtime did
// not answer, after the events broke off, and at every resync. That is how a unit is found whose
// Workspace is gone from the store.
class RuntimeWatch {
  public:
    struct Options {
        drivers::Labels having;
        Duration look_every = std::chrono::seconds(5);
        Duration resync = std::chrono::minutes(10);
    };
    // Called from the threads above.
    struct Hints {
        std::function<void(const Key&)> one;  // a Workspace, which need not exist
        std::function<void()> all;            // every Workspace that exists
    };

    // What is given outlives it.
    RuntimeWatch(Runtimes& runtimes, Options options, Hints hints, const Clock& clock, Log log);
    ~RuntimeWatch();  // stops

    // What the last listing of that runtime said; fine before the first one.
    Result<void> health(const std::string& runtime) const;

  private:
    struct Place;
    void look(const std::stop_token& stop, Place& place);
    void follow(const std::stop_token& stop, Place& place);

    const Options options_;
    const Hints hints_;
    const Clock& clock_;
    const Log log_;
    std::map<std::string, std::unique_ptr<Place>> places_;  // constant after construction
    std::vector<std::jthread> threads_;
};

// The Workspaces that these units say they are of, each once.
std::vector<Key> workspaces_of(const std::vector<drivers::Unit>& units);

}  // namespace atelier::cmd
