#include "reconcilers/org/compiled_cache.h"

#include <algorithm>

#include "base/fields.h"

namespace atelier::reconcilers::org {
namespace {

constexpr std::size_t most = 8;

}  // namespace

Result<std::shared_ptr<const templates::CompiledOrg>> CompiledCache::get(
    const std::string& digest, drivers::TreeStore& trees) {
    if (auto known = find(digest)) return known;
    const auto text = trees.read(digest, std::string(templates::tree_file));
    if (!text && text.error().code == Code::not_found) {
        return std::shared_ptr<const templates::CompiledOrg>();
    }
    if (!text) return text.error();
    const json::Document document = TRY(json::parse(*text, {.depth = 100, .nodes = 20'000'000}));
    auto compiled = std::make_shared<const templates::CompiledOrg>(
        TRY(json::read<templates::CompiledOrg>(static_cast<const json::Value&>(document))));
    keep({digest, compiled});
    return compiled;
}

std::shared_ptr<const templates::CompiledOrg> CompiledCache::find(const std::string& digest) {
    const std::lock_guard lock(mutex_);
    const auto found = std::find_if(entries_.begin(), entries_.end(),
                                    [&](const Entry& entry) { return entry.first == digest; });
    if (found == entries_.end()) return nullptr;
    entries_.splice(entries_.begin(), entries_, found);
    return entries_.front().second;
}

void CompiledCache::keep(Entry entry) {
    const std::lock_guard lock(mutex_);
    entries_.push_front(std::move(entry));
    if (entries_.size() > most) entries_.pop_back();
}

}  // namespace atelier::reconcilers::org
