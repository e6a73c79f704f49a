// The runtimes of this server: Docker when it answers or is asked for, and processes always.
#pragma once

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
#include "base/random.h"
#include "base/result.h"
#include "cmd/options.h"
#include "crds/meta.h"
#include "drivers/runtime.h"

namespace atelier::cmd {

struct Runtimes {
    std::map<std::string, std::unique_ptr<drivers::Runtime>> by_name;
    std::string default_backend;
    std::string said;  // for the log: where workspaces run, and why
};

Result<Runtimes> make_runtimes(const ServerOptions& options, const std::string& instance,
                               const Clock& clock, Random& random);

// Whether the runtime answers, for readiness: asked every five seconds on a thread of its own, so
// that a probe never waits for a daemon.
class RuntimeHealth {
  public:
    ~RuntimeHealth();
    void watch(drivers::Runtime& runtime, const std::string& instance);
    Result<void> last() const;

  private:
    mutable std::mutex mutex_;
    std::optional<Error> error_;  // guarded by mutex_
    std::jthread thread_;
};

// Turns what happens in a runtime into keys of Workspaces: one thread a runtime, named
// events-<name>. A broken connection is made again with backoff, and every key is looked at after
// it.
class RuntimeEvents {
  public:
    RuntimeEvents(Runtimes& runtimes, const std::string& instance,
                  std::function<void(const Key&)> hint, std::function<void()> hint_all, Log log);
    ~RuntimeEvents();  // stops

  private:
    std::vector<std::jthread> threads_;
};

}  // namespace atelier::cmd
