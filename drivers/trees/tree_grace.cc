#include "drivers/trees/tree_grace.h"

namespace atelier::drivers {

std::vector<std::string> TreeGrace::over(const std::set<std::string>& there,
                                         const std::set<std::string>& wanted, Instant now,
                                         Duration grace) {
    std::vector<std::string> digests;
    std::map<std::string, Instant> unwanted;
    for (const std::string& digest : there) {
        if (wanted.contains(digest)) continue;
        const auto known = unwanted_since_.find(digest);
        const Instant since = known == unwanted_since_.end() ? now : known->second;
        if (now - since >= grace) {
            digests.push_back(digest);
        } else {
            unwanted[digest] = since;
        }
    }
    unwanted_since_ = std::move(unwanted);
    return digests;
}

}  // namespace atelier::drivers
