// Limits how many operations may wait for git servers that do not answer. An operation holds a
// thread while it waits; when several servers hang, operations on the others must still find one.
//
// An operation is slow when it has been under way for a while and has received next to nothing. At
// most `most_slow` operations, the oldest, may be slow at a time; a further one is given up, and
// its caller tries again later. While that many are slow, a server whose last operation was in vain
// is not asked at all.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/result.h"

namespace atelier::drivers {

struct GitGateOptions {
    int most_slow = 0;  // 0: any number
    Duration slow_after = std::chrono::seconds(3);
};

// Thread-safe. The clock outlives it.
class GitGate {
    struct Entry {
        std::string origin;
        Instant begun;
        std::int64_t received = 0;
    };

  public:
    GitGate(const GitGateOptions& options, const Clock& clock) : options_(options), clock_(clock) {}

    // One operation, from enter() until its end, on one thread. The gate outlives it.
    class Pass {
      public:
        Pass(Pass&& other) noexcept : gate_(other.gate_), entry_(other.entry_) {
            other.gate_ = nullptr;
        }
        Pass(const Pass&) = delete;
        Pass& operator=(const Pass&) = delete;
        Pass& operator=(Pass&&) = delete;
        ~Pass();

        void heard(std::int64_t bytes);
        bool must_give_up() const;  // cheap enough to be asked all the time
        // How the operation ended for the server. `why`: the error of the operation.
        void answered();
        void in_vain(const std::string& why);

      private:
        friend class GitGate;
        Pass(GitGate& gate, std::list<Entry>::iterator entry) : gate_(&gate), entry_(entry) {}
        GitGate* gate_;
        std::list<Entry>::iterator entry_;
    };

    // For a server, "https://host:port". nullopt: it is not to be asked now.
    std::optional<Pass> enter(const std::string& origin);
    // Why the last operation on a server was in vain; empty: it was not.
    std::string last_failure(const std::string& origin) const;

  private:
    bool is_slow(const Entry& entry, Instant now) const;

    const GitGateOptions options_;
    const Clock& clock_;
    mutable std::mutex mutex_;
    std::list<Entry> entries_;  // the oldest first; guarded by mutex_
    // Servers whose last operation was in vain, and why it was; guarded by mutex_.
    std::map<std::string, std::string> silent_;
};

}  // namespace atelier::drivers
