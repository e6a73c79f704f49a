// A tree of files as a value: what git yields, what a template compiles to, and what a plugin is.
// And the interface of a store that keeps trees by their digest.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace atelier::drivers {

struct File {
    enum class Kind { regular, symlink };
    Kind kind = Kind::regular;
    bool executable = false;
    std::string bytes;  // of a symlink: its target
};

// By relative path with '/'; folders are implied.
using Tree = std::map<std::string, File>;
using TreePtr = std::shared_ptr<const Tree>;

struct ManifestEntry {
    std::string path;
    std::string sha256;
    std::int64_t size = 0;
    bool executable = false;
    bool operator==(const ManifestEntry&) const = default;
};

// The regular files of a tree in path order.
using Manifest = std::vector<ManifestEntry>;
Manifest manifest_of(const Tree& tree);
// SHA-256 over path, mode and content digest of each entry: equal trees have equal digests, on
// every machine.
std::string digest_of(const Manifest& manifest);

// "plugins/x" of a tree as a tree of its own; empty path: all of it.
Tree subtree(const Tree& tree, std::string_view path);

// The paths that a stored tree may have: relative, no "." or "..", valid UTF-8 without control
// characters or backslash, no ".git", at most 1024 bytes. Code::invalid names the path.
Result<void> check_tree_path(std::string_view path);
// Regular files only, with such paths, and nothing that is a file and a folder at once.
Result<void> check_storable(const Tree& tree);

// Keeps trees by digest. What exists is complete: a tree is written under a temporary name and
// renamed. Only regular files are kept; `put` refuses a tree that has anything else or an unsafe
// path. Thread-safe.
class TreeStore {
  public:
    virtual ~TreeStore() = default;
    virtual Result<std::string> put(const Tree& tree) = 0;       // its digest
    virtual Result<TreePtr> get(const std::string& digest) = 0;  // not_found
    virtual Result<Manifest> manifest(const std::string& digest) = 0;
    virtual Result<std::string> read(const std::string& digest, const std::string& path) = 0;
};

}  // namespace atelier::drivers
