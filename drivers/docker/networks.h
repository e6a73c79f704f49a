// Networks of a Docker engine.
#pragma once

#include <mutex>
#include <string>

#include "drivers/docker/api.h"
#include "drivers/runtime.h"

namespace atelier::drivers {

// As the functions of Runtime with these names. Thread-safe.
class DockerNetworks {
  public:
    explicit DockerNetworks(const DockerApi& api) : api_(api) {}
    Result<void> ensure(const std::string& name, const Labels& labels);
    Result<void> remove(const std::string& name);
    Result<void> join(const std::string& id, const std::string& name, const std::string& alias);

  private:
    DockerApi api_;
    std::timed_mutex mutex_;  // held while a network is created
};

}  // namespace atelier::drivers
