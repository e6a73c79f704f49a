// Compiled templates by digest. An Org is reconciled far more often than its template changes, and
// parsing a large tree.json takes longer than the rest of a reconcile. The content of a digest
// never changes, so an entry cannot be stale.
#pragma once

#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "base/result.h"
#include "drivers/trees/tree.h"
#include "templates/compiled.h"

namespace atelier::reconcilers::org {

// Thread-safe. Keeps the eight entries that were used last.
class CompiledCache {
  public:
    // nullptr: the tree store has no such tree. Errors: unavailable, and invalid for a tree.json
    // that cannot be parsed.
    Result<std::shared_ptr<const templates::CompiledOrg>> get(const std::string& digest,
                                                              drivers::TreeStore& trees);

  private:
    using Entry = std::pair<std::string, std::shared_ptr<const templates::CompiledOrg>>;
    std::shared_ptr<const templates::CompiledOrg> find(const std::string& digest);
    void keep(Entry entry);

    std::mutex mutex_;
    std::list<Entry> entries_;  // guarded by mutex_; the last used first
};

}  // namespace atelier::reconcilers::org
