#include "store/field_index.h"

#include <fmt/format.h>

namespace atelier::store {

std::string in_namespace(std::string_view ns, std::string_view value) {
    return fmt::format("{}/{}", ns, value);
}

void IndexTable::put(ObjectPtr object, Values values) {
    erase(*object);
    if (values.empty()) return;
    const Place place{object->key.ns, object->key.name};
    for (const std::string& value : values) by_value_[value].insert_or_assign(place, object);
    values_.insert_or_assign(place, std::move(values));
}

void IndexTable::erase(const Object& object) {
    const Place place{object.key.ns, object.key.name};
    const auto held = values_.find(place);
    if (held == values_.end()) return;
    for (const std::string& value : held->second) {
        const auto under = by_value_.find(value);
        // The function may name one value twice.
        if (under == by_value_.end()) continue;
        under->second.erase(place);
        if (under->second.empty()) by_value_.erase(under);
    }
    values_.erase(held);
}

std::vector<ObjectPtr> IndexTable::find(std::string_view value) const {
    std::vector<ObjectPtr> found;
    const auto under = by_value_.find(value);
    if (under == by_value_.end()) return found;
    found.reserve(under->second.size());
    for (const auto& [place, object] : under->second) found.push_back(object);
    return found;
}

std::vector<ObjectPtr> IndexSet::find(const FieldIndex& index, std::string_view value,
                                      const std::function<ObjectList()>& all) {
    const auto [at, is_new] = entries_.try_emplace(index.name, Entry{&index, {}});
    if (is_new) {
        const ObjectList objects = all();
        for (const ObjectPtr& object : objects) at->second.table.put(object, index.values(*object));
    }
    return at->second.table.find(value);
}

void IndexSet::put(const ObjectPtr& object) {
    for (auto& [name, entry] : entries_) entry.table.put(object, entry.index->values(*object));
}

void IndexSet::erase(const Object& object) {
    for (auto& [name, entry] : entries_) entry.table.erase(object);
}

}  // namespace atelier::store
