// Inside the process driver: the newest events of units, for readers that come and go.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <stop_token>

#include "drivers/runtime.h"

namespace atelier::drivers {

// Keeps the newest 1,024 events. Thread-safe.
class EventLog {
  public:
    void add(const Labels& labels);
    // As Runtime::events; calls `on_event` without a lock.
    void follow(const std::stop_token& stop, const Labels& having,
                const std::function<void(const Labels&)>& on_event);

  private:
    std::mutex mutex_;
    std::condition_variable_any added_;
    std::deque<Labels> events_;  // the first has the number first_
    std::uint64_t first_ = 0;
    std::map<Labels, std::uint64_t> followed_;  // by `having`: the number of the next event
};

}  // namespace atelier::drivers
