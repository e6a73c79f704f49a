// The grace period of a tree store: since when each of its trees is unwanted. Passive; the caller
// guards it with a lock.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"

namespace atelier::drivers {

class TreeGrace {
  public:
    // The tree was put: its grace period begins anew, because the caller is about to refer to it.
    void touch(const std::string& digest) { unwanted_since_.erase(digest); }

    // Of the trees that are `there`, those that no call has named in `wanted` for `grace`.
    std::vector<std::string> over(const std::set<std::string>& there,
                                  const std::set<std::string>& wanted, Instant now, Duration grace);

  private:
    std::map<std::string, Instant> unwanted_since_;
};

}  // namespace atelier::drivers
