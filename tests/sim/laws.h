// What must be true of a life when all is quiet.
#pragma once

#include <optional>
#include <string>

#include "tests/sim/life.h"

namespace atelier::sim {

class Laws {
  public:
    explicit Laws(const Life& life) : life_(life) {}
    // The world is as declared: nothing missing, nothing twice, nothing unapproved, nothing of
    // others touched.
    std::optional<std::string> converged() const;
    // Nothing but reads was done since the calls were cleared.
    std::optional<std::string> rested() const;

  private:
    std::optional<std::string> workspaces() const;
    std::optional<std::string> units() const;
    std::optional<std::string> installs() const;
    const Life& life_;
};

}  // namespace atelier::sim
