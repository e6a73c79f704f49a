#include "base/tree_digest.h"

#include "base/result.h"

namespace atelier {

TreeDigest& TreeDigest::add(std::string_view path, std::string_view sha256, bool executable) {
    CHECK(last_path_ < path);
    last_path_ = path;
    std::string entry;
    entry.reserve(path.size() + sha256.size() + 4);
    entry.append(path).push_back('\0');
    entry.push_back(executable ? 'x' : '-');
    entry.push_back('\0');
    entry.append(sha256).push_back('\n');
    sum_.update(entry);
    return *this;
}

std::string TreeDigest::hex() {
    return sum_.hex();
}

}  // namespace atelier
