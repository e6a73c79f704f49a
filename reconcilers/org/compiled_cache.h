// Compiled templates as values, by digest: an Org is looked at far more often than its template
// changes, and reading a large one takes longer than all the rest. What a digest names never
// changes, so this is no state that could be wrong.
#pragma once

#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "base/result.h"
#include "drivers/trees/tree.h"
#include "templates/compiled.h"

namespace atelier::reconcilers {

// Thread-safe. Keeps the few that were used last.
class CompiledCache {
  public:
    // nullptr: the tree store has no such tree.
    Result<std::shared_ptr<const templates::CompiledOrg>> get(const std::string& digest,
                                                              drivers::TreeStore& trees);

  private:
    using Entry = std::pair<std::string, std::shared_ptr<const templates::CompiledOrg>>;
    std::shared_ptr<const templates::CompiledOrg> find(const std::string& digest);
    void keep(Entry entry);

    std::mutex mutex_;
    std::list<Entry> entries_;  // guarded by mutex_; the last used first
};

}  // namespace atelier::reconcilers
