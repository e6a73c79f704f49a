// The digest of a tree of files, in the one form that the server and the agent both compute: equal
// trees have equal digests, on every machine. Owners, times and empty folders do not count.
#pragma once

#include <string>
#include <string_view>

#include "base/digest.h"

namespace atelier {

// Files are added in byte order of their paths, each once; the digest is of
// "<path> NUL <x or -> NUL <sha256 of the bytes, hex> LF" of each of them.
class TreeDigest {
  public:
    TreeDigest& add(std::string_view path, std::string_view sha256, bool executable);
    std::string hex();  // ends the computation; call once

  private:
    Sha256 sum_;
    std::string last_path_;
};

}  // namespace atelier
