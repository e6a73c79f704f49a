// The stream of what happens to containers.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <stop_token>
#include <string>
#include <string_view>

#include "drivers/docker/api.h"
#include "drivers/runtime.h"

namespace atelier::drivers {

// Thread-safe.
class DockerEvents {
  public:
    explicit DockerEvents(const DockerApi& api) : api_(api) {}
    // As Runtime::events.
    Result<void> follow(const std::stop_token& stop, const Labels& having,
                        const std::function<void(const Labels&)>& on_event);

  private:
    std::string since(const Labels& having);
    void take(std::string_view line, const Labels& having,
              const std::function<void(const Labels&)>& on_event);

    const DockerApi api_;
    std::mutex mutex_;
    std::map<Labels, std::string> followed_until_;  // by `having`: the time of the newest event
};

}  // namespace atelier::drivers
