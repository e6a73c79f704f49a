// Who wants to be woken after a commit.
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
    // Calls every subscriber, with no lock held that a subscriber could want.
    void wake(Revision revision);

  private:
    struct Subscriber;
    class Handle;
    std::mutex mutex_;  // guards what follows
    std::vector<std::weak_ptr<Subscriber>> subscribers_;
};

}  // namespace atelier::store
