// Since when nobody wanted a tree: the grace period of a tree store. Passive; guarded by its owner.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"

namespace atelier::drivers {

class TreeGrace {
  public:
    // The tree was put: whoever did so is about to name it somewhere.
    void touch(const std::string& digest) { unwanted_since_.erase(digest); }

    // Of the trees that are there, those that were wanted by nobody in all calls for `grace`.
    std::vector<std::string> over(const std::set<std::string>& there,
                                  const std::set<std::string>& wanted, Instant now, Duration grace);

  private:
    std::map<std::string, Instant> unwanted_since_;
};

}  // namespace atelier::drivers
