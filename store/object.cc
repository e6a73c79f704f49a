#include "store/object.h"

#include <algorithm>
#include <utility>

namespace atelier::store {
namespace {

// Small enough that copying one leaf is nothing, large enough that a trunk of a hundred thousand
// objects is short.
constexpr std::size_t leaf_most = 256;

bool before(const Object& object, std::string_view ns, std::string_view name) {
    if (const int order = std::string_view(object.key.ns).compare(ns); order != 0) {
        return order < 0;
    }
    return object.key.name < name;
}

bool is(const Object& object, std::string_view ns, std::string_view name) {
    return object.key.ns == ns && object.key.name == name;
}

}  // namespace

ObjectList::ObjectList(std::vector<ObjectPtr> sorted) {
    if (sorted.empty()) return;
    trunk_ = std::make_shared<Trunk>();
    trunk_->starts.push_back(0);
    for (std::size_t at = 0; at < sorted.size(); at += leaf_most) {
        const std::size_t end = std::min(at + leaf_most, sorted.size());
        auto leaf = std::make_shared<Leaf>();
        leaf->objects.assign(std::make_move_iterator(sorted.begin() + std::ptrdiff_t(at)),
                             std::make_move_iterator(sorted.begin() + std::ptrdiff_t(end)));
        trunk_->leaves.push_back(std::move(leaf));
        trunk_->starts.push_back(end);
    }
}

ObjectList::Place ObjectList::place_of(std::size_t index) const {
    const auto& starts = trunk_->starts;
    if (index >= starts.back()) return {trunk_->leaves.size(), 0};
    const auto after = std::upper_bound(starts.begin(), starts.end(), index);
    const auto leaf = static_cast<std::size_t>(after - starts.begin()) - 1;
    return {leaf, index - starts[leaf]};
}

ObjectList::Place ObjectList::lower_place(std::string_view ns, std::string_view name) const {
    const auto& leaves = trunk_->leaves;
    const auto leaf = std::partition_point(leaves.begin(), leaves.end(), [&](const auto& l) {
        return before(*l->objects.back(), ns, name);
    });
    if (leaf == leaves.end()) return {leaves.size(), 0};
    const auto& objects = (*leaf)->objects;
    const auto object = std::partition_point(objects.begin(), objects.end(),
                                             [&](const auto& o) { return before(*o, ns, name); });
    return {static_cast<std::size_t>(leaf - leaves.begin()),
            static_cast<std::size_t>(object - objects.begin())};
}

const ObjectPtr& ObjectList::operator[](std::size_t index) const {
    const Place place = place_of(index);
    return trunk_->leaves[place.leaf]->objects[place.offset];
}

std::size_t ObjectList::lower_bound(std::string_view ns, std::string_view name) const {
    if (!trunk_) return 0;
    const Place place = lower_place(ns, name);
    return trunk_->starts[place.leaf] + place.offset;
}

ObjectPtr ObjectList::find(std::string_view ns, std::string_view name) const {
    if (!trunk_) return nullptr;
    const Place place = lower_place(ns, name);
    if (place.leaf == trunk_->leaves.size()) return nullptr;
    const ObjectPtr& object = trunk_->leaves[place.leaf]->objects[place.offset];
    return is(*object, ns, name) ? object : nullptr;
}

ObjectList::const_iterator& ObjectList::const_iterator::operator+=(difference_type n) {
    if (!trunk_) return *this;
    const auto index = static_cast<std::size_t>(static_cast<difference_type>(this->index()) + n);
    const auto& starts = trunk_->starts;
    if (index >= starts.back()) {
        leaf_ = trunk_->leaves.size();
        offset_ = 0;
        return *this;
    }
    const auto after = std::upper_bound(starts.begin(), starts.end(), index);
    leaf_ = static_cast<std::size_t>(after - starts.begin()) - 1;
    offset_ = index - starts[leaf_];
    return *this;
}

ObjectList::Trunk& ObjectTable::own_trunk() {
    if (!owner_) owner_ = std::make_shared<const char>();
    if (!list_.trunk_) {
        list_.trunk_ = std::make_shared<ObjectList::Trunk>();
        list_.trunk_->starts.push_back(0);
        list_.trunk_->owner = owner_;
    } else if (list_.trunk_->owner != owner_) {
        list_.trunk_ = std::make_shared<ObjectList::Trunk>(*list_.trunk_);
        list_.trunk_->owner = owner_;
    }
    return *list_.trunk_;
}

ObjectList::Leaf& ObjectTable::own_leaf(std::size_t leaf) {
    auto& kept = own_trunk().leaves[leaf];
    if (kept->owner != owner_) {
        auto copy = std::make_shared<ObjectList::Leaf>();
        copy->owner = owner_;
        copy->objects.reserve(kept->objects.size() + 1);
        copy->objects = kept->objects;
        kept = std::move(copy);
    }
    return *kept;
}

void ObjectTable::count_from(ObjectList::Trunk& trunk, std::size_t leaf) {
    trunk.starts.resize(trunk.leaves.size() + 1);
    for (; leaf < trunk.leaves.size(); ++leaf) {
        trunk.starts[leaf + 1] = trunk.starts[leaf] + trunk.leaves[leaf]->objects.size();
    }
}

// At the end a leaf is split into a full one and a short one, not into halves: objects that arrive
// in order fill their leaves.
void ObjectTable::split(std::size_t leaf) {
    ObjectList::Trunk& trunk = own_trunk();
    auto& objects = trunk.leaves[leaf]->objects;
    const bool is_last = leaf + 1 == trunk.leaves.size();
    const auto cut = objects.begin() + std::ptrdiff_t(is_last ? leaf_most : objects.size() / 2);
    auto right = std::make_shared<ObjectList::Leaf>();
    right->owner = owner_;
    right->objects.assign(std::make_move_iterator(cut), std::make_move_iterator(objects.end()));
    objects.erase(cut, objects.end());
    trunk.leaves.insert(trunk.leaves.begin() + std::ptrdiff_t(leaf) + 1, std::move(right));
}

void ObjectTable::put(ObjectPtr object) {
    ObjectList::Trunk& trunk = own_trunk();
    if (trunk.leaves.empty()) {
        auto leaf = std::make_shared<ObjectList::Leaf>();
        leaf->owner = owner_;
        leaf->objects.push_back(std::move(object));
        trunk.leaves.push_back(std::move(leaf));
        count_from(trunk, 0);
        return;
    }
    const std::string_view ns = object->key.ns;
    const std::string_view name = object->key.name;
    ObjectList::Place place = list_.lower_place(ns, name);
    if (place.leaf == trunk.leaves.size()) {
        --place.leaf;
        place.offset = trunk.leaves[place.leaf]->objects.size();
    }
    auto& objects = own_leaf(place.leaf).objects;
    const auto at = objects.begin() + std::ptrdiff_t(place.offset);
    if (at != objects.end() && is(**at, ns, name)) {
        *at = std::move(object);
        return;
    }
    objects.insert(at, std::move(object));
    if (objects.size() > leaf_most) split(place.leaf);
    count_from(trunk, place.leaf);
}

void ObjectTable::erase(std::string_view ns, std::string_view name) {
    if (!list_.find(ns, name)) return;
    ObjectList::Trunk& trunk = own_trunk();
    const ObjectList::Place place = list_.lower_place(ns, name);
    auto& objects = own_leaf(place.leaf).objects;
    objects.erase(objects.begin() + std::ptrdiff_t(place.offset));
    if (objects.empty()) trunk.leaves.erase(trunk.leaves.begin() + std::ptrdiff_t(place.leaf));
    if (trunk.leaves.empty()) {
        list_.trunk_.reset();
        return;
    }
    count_from(trunk, place.leaf);
}

ObjectList ObjectTable::list() {
    owner_.reset();
    return list_;
}

}  // namespace atelier::store
