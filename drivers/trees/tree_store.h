// The tree store in a directory. Apart from the interface TreeStore (tree.h), because nearly every
// caller keeps trees, and only one opens the store and collects what is no longer wanted.
#pragma once

#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "drivers/trees/tree.h"

namespace atelier::drivers {

class TreeCollection : public TreeStore {
  public:
    // The digests of all trees kept.
    virtual Result<std::set<std::string>> digests() = 0;
    // Removes the trees that no call has named in `wanted` for `grace`. The time runs from the
    // first call that did not name the tree, and begins anew at each put. Returns the digests of
    // removed trees. A reader of such a tree may get not_found.
    virtual Result<std::vector<std::string>> collect(const std::set<std::string>& wanted,
                                                     Instant now, Duration grace) = 0;
};

// The store in a directory (made if absent): <digest>/files/… and <digest>/manifest.json. One
// process at a time: leftovers of an interrupted `put` are removed here. What is read is verified
// against its digest; a damaged tree is removed and is not_found, so that its owner fetches it
// again.
Result<std::unique_ptr<TreeCollection>> open_tree_collection(
    const std::filesystem::path& directory);
Result<std::unique_ptr<TreeStore>> open_tree_store(const std::filesystem::path& directory);

}  // namespace atelier::drivers
