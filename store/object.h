// One state of one object, and many of them in order.
#pragma once

#include <compare>
#include <cstddef>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "crds/meta.h"

namespace atelier::store {

// Immutable: a change is a new Object.
struct Object {
    Key key;
    Revision revision = 0;
    crds::Meta meta;   // parsed from body
    std::string body;  // the final JSON, resourceVersion included
};
using ObjectPtr = std::shared_ptr<const Object>;

// The objects of one resource, sorted by namespace and name. An immutable value that is cheap to
// copy: lists taken at different revisions share all but the parts in which they differ, so that a
// list costs the same whether it has ten objects or a hundred thousand.
class ObjectList {
  public:
    class const_iterator;
    using value_type = ObjectPtr;
    using iterator = const_iterator;

    ObjectList() = default;
    ObjectList(std::vector<ObjectPtr> sorted);  // already in order, without duplicates

    std::size_t size() const { return trunk_ ? trunk_->starts.back() : 0; }
    bool empty() const { return size() == 0; }
    const ObjectPtr& operator[](std::size_t index) const;
    const ObjectPtr& front() const { return (*this)[0]; }
    const ObjectPtr& back() const { return (*this)[size() - 1]; }
    const_iterator begin() const;
    const_iterator end() const;

    // The index of the first object that does not come before (ns, name); size() when all do.
    std::size_t lower_bound(std::string_view ns, std::string_view name) const;
    ObjectPtr find(std::string_view ns, std::string_view name) const;  // nullptr: there is none

  private:
    friend class ObjectTable;
    // The ObjectTable that holds the token may change leaves and trunks with that token in place;
    // they are copied before any other change.
    using Owner = std::shared_ptr<const char>;
    struct Leaf {
        Owner owner;
        std::vector<ObjectPtr> objects;  // never empty
    };
    struct Trunk {
        Owner owner;
        std::vector<std::shared_ptr<Leaf>> leaves;
        std::vector<std::size_t> starts;  // index of each leaf's first object; last, the size
    };
    struct Place {
        std::size_t leaf = 0;
        std::size_t offset = 0;
    };
    Place place_of(std::size_t index) const;
    Place lower_place(std::string_view ns, std::string_view name) const;

    std::shared_ptr<Trunk> trunk_;  // nullptr: empty
};

class ObjectList::const_iterator {
  public:
    using iterator_category = std::random_access_iterator_tag;
    using value_type = ObjectPtr;
    using difference_type = std::ptrdiff_t;
    using pointer = const ObjectPtr*;
    using reference = const ObjectPtr&;

    const_iterator() = default;

    reference operator*() const { return trunk_->leaves[leaf_]->objects[offset_]; }
    pointer operator->() const { return &**this; }
    reference operator[](difference_type n) const { return *(*this + n); }

    const_iterator& operator++() {
        if (++offset_ == trunk_->leaves[leaf_]->objects.size()) ++leaf_, offset_ = 0;
        return *this;
    }
    const_iterator& operator--() {
        if (offset_ == 0) offset_ = trunk_->leaves[--leaf_]->objects.size();
        --offset_;
        return *this;
    }
    const_iterator operator++(int) { return std::exchange(*this, *this + 1); }
    const_iterator operator--(int) { return std::exchange(*this, *this - 1); }
    const_iterator& operator+=(difference_type n);
    const_iterator& operator-=(difference_type n) { return *this += -n; }
    friend const_iterator operator+(const_iterator it, difference_type n) { return it += n; }
    friend const_iterator operator+(difference_type n, const_iterator it) { return it += n; }
    friend const_iterator operator-(const_iterator it, difference_type n) { return it -= n; }
    friend difference_type operator-(const const_iterator& a, const const_iterator& b) {
        return static_cast<difference_type>(a.index()) - static_cast<difference_type>(b.index());
    }
    bool operator==(const const_iterator&) const = default;
    std::strong_ordering operator<=>(const const_iterator& other) const {
        return index() <=> other.index();
    }

  private:
    friend class ObjectList;
    const_iterator(const Trunk* trunk, Place place)
        : trunk_(trunk), leaf_(place.leaf), offset_(place.offset) {}
    std::size_t index() const { return trunk_ ? trunk_->starts[leaf_] + offset_ : 0; }

    const Trunk* trunk_ = nullptr;
    std::size_t leaf_ = 0;
    std::size_t offset_ = 0;
};

inline ObjectList::const_iterator ObjectList::begin() const {
    return {trunk_.get(), {}};
}
inline ObjectList::const_iterator ObjectList::end() const {
    return {trunk_.get(), {trunk_ ? trunk_->leaves.size() : 0, 0}};
}

// An ObjectList under change. Not thread-safe; lists taken from it are.
class ObjectTable {
  public:
    ObjectTable() = default;
    explicit ObjectTable(ObjectList list) : list_(std::move(list)) {}
    // A copy would believe that it owns what the other one changes in place: take list() instead.
    ObjectTable(const ObjectTable&) = delete;
    ObjectTable& operator=(const ObjectTable&) = delete;
    ObjectTable(ObjectTable&&) = default;
    ObjectTable& operator=(ObjectTable&&) = default;

    std::size_t size() const { return list_.size(); }
    ObjectPtr find(std::string_view ns, std::string_view name) const {
        return list_.find(ns, name);
    }
    void put(ObjectPtr object);  // adds or replaces
    void erase(std::string_view ns, std::string_view name);
    // The list as it is now. The table shares it, and copies the parts that it changes later.
    ObjectList list();

  private:
    ObjectList::Trunk& own_trunk();
    ObjectList::Leaf& own_leaf(std::size_t leaf);
    void split(std::size_t leaf);
    static void count_from(ObjectList::Trunk& trunk, std::size_t leaf);

    ObjectList list_;
    ObjectList::Owner owner_;  // nullptr: everything is shared with a list that was handed out
};

}  // namespace atelier::store
