#include "tests/fakes/memory_tree_store.h"

namespace atelier::fakes {

Result<std::string> MemoryTreeStore::put(const drivers::Tree& tree) {
    TRY(drivers::check_storable(tree));
    const std::string digest = drivers::digest_of(drivers::manifest_of(tree));
    const std::lock_guard lock(mutex_);
    ++puts_;
    trees_.try_emplace(digest, std::make_shared<const drivers::Tree>(tree));
    return digest;
}

Result<drivers::TreePtr> MemoryTreeStore::get(const std::string& digest) {
    if (digest.size() != 64) return Error{Code::invalid, "a tree's digest has 64 digits"};
    const std::lock_guard lock(mutex_);
    const auto it = trees_.find(digest);
    if (it == trees_.end()) return Error{Code::not_found, "there is no tree " + digest};
    return it->second;
}

Result<drivers::Manifest> MemoryTreeStore::manifest(const std::string& digest) {
    const drivers::TreePtr tree = TRY(get(digest));
    return drivers::manifest_of(*tree);
}

Result<std::string> MemoryTreeStore::read(const std::string& digest, const std::string& path) {
    const drivers::TreePtr tree = TRY(get(digest));
    const auto it = tree->find(path);
    if (it == tree->end()) return Error{Code::not_found, "the tree has no file of that path"};
    return it->second.bytes;
}

void MemoryTreeStore::lose(const std::string& digest) {
    const std::lock_guard lock(mutex_);
    trees_.erase(digest);
}

std::size_t MemoryTreeStore::size() const {
    const std::lock_guard lock(mutex_);
    return trees_.size();
}

int MemoryTreeStore::puts() const {
    const std::lock_guard lock(mutex_);
    return puts_;
}

}  // namespace atelier::fakes
