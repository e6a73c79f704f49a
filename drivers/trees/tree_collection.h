// A tree store from which trees are taken away again. Beside tree.h, because nearly everybody keeps
// trees and hardly anybody removes them.
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
    // Removes the trees that were in `wanted` in no call for `grace`, counted from the first call
    // that did not name them, and anew from each put. Gives back what went. A reader of such a tree
    // may find it gone.
    virtual Result<std::vector<std::string>> collect(const std::set<std::string>& wanted,
                                                     Instant now, Duration grace) = 0;
};

// As open_tree_store.
Result<std::unique_ptr<TreeCollection>> open_tree_collection(
    const std::filesystem::path& directory);

}  // namespace atelier::drivers
