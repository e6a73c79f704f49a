// Work on all members of an object at once. An object of RapidJSON is a list: to find or to erase
// one member costs its length, so that a loop of such calls over a client's object costs its
// square. What is here costs n log n at most, whatever the names are.
#pragma once

#include <functional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"

namespace atelier::json {

// Finds members of one object by name. The object may not gain or lose members while it is used.
class MemberIndex {
  public:
    explicit MemberIndex(const Value& object);
    // The position of the last member of that name, or npos.
    std::size_t find(std::string_view name) const;

    static constexpr std::size_t npos = static_cast<std::size_t>(-1);

  private:
    const Value& object_;
    std::vector<std::pair<std::string_view, std::size_t>> sorted_;  // empty for a small object
};

// Removes the members for which `keep` is false. It is called once for each, in order.
void keep_members(Value& object, const std::function<bool(Value::Member&)>& keep);

// The same for the elements of an array.
void keep_elements(Value& array, const std::function<bool(const Value&)>& keep);

// Sets many members: a name that is there gets the new value, the others are added in their order.
void set_members(Value& object, std::vector<std::pair<std::string_view, Value>> members,
                 Allocator& allocator);

// Whether two values are the same JSON: members in any order, numbers by their value.
bool equal(const Value& a, const Value& b);

}  // namespace atelier::json
