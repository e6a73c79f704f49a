// Calls the callbacks of on_commit() after each commit.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "store/store.h"

namespace atelier::store {

// Thread-safe.
class Subscribers {
  public:
    // The subscription may outlive the Subscribers.
    std::unique_ptr<Subscription> add(std::function<void(Revision)> wake);
    // Calls every subscriber without holding a lock that add() or ~Subscription takes.
    void wake(Revision revision);

  private:
    struct Subscriber;
    class Handle;
    std::mutex mutex_;  // guards what follows
    std::vector<std::weak_ptr<Subscriber>> subscribers_;
};

}  // namespace atelier::store
