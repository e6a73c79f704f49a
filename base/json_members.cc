#include "base/json_members.h"

#include <algorithm>

namespace atelier::json {
namespace {

// Up to here, comparing with every member is quicker than sorting.
constexpr std::size_t small = 12;

const Value::Member& member(const Value& object, std::size_t at) {
    return *(object.MemberBegin() + static_cast<std::ptrdiff_t>(at));
}

bool equal_objects(const Value& a, const Value& b) {
    const std::size_t count = a.MemberCount();
    if (count != b.MemberCount()) return false;
    std::size_t at = 0;
    // Mostly one was copied from the other, and the order is the same.
    for (; at < count; ++at) {
        const auto& in_a = member(a, at);
        const auto& in_b = member(b, at);
        if (view(in_a.name) != view(in_b.name)) break;
        if (!equal(in_a.value, in_b.value)) return false;
    }
    if (at == count) return true;
    const MemberIndex index(b);
    for (; at < count; ++at) {
        const std::size_t found = index.find(view(member(a, at).name));
        if (found == MemberIndex::npos) return false;
        if (!equal(member(a, at).value, member(b, found).value)) return false;
    }
    return true;
}

}  // namespace

MemberIndex::MemberIndex(const Value& object) : object_(object) {
    const std::size_t count = object.MemberCount();
    if (count <= small) return;
    sorted_.reserve(count);
    for (std::size_t at = 0; at < count; ++at)
        sorted_.emplace_back(view(member(object, at).name), at);
    std::sort(sorted_.begin(), sorted_.end());
}

std::size_t MemberIndex::find(std::string_view name) const {
    if (sorted_.empty()) {
        for (std::size_t at = object_.MemberCount(); at-- > 0;) {
            if (view(member(object_, at).name) == name) return at;
        }
        return npos;
    }
    const auto after = std::upper_bound(sorted_.begin(), sorted_.end(), std::pair(name, npos));
    if (after == sorted_.begin() || std::prev(after)->first != name) return npos;
    return std::prev(after)->second;
}

void keep_members(Value& object, const std::function<bool(Value::Member&)>& keep) {
    auto kept = object.MemberBegin();
    for (auto at = object.MemberBegin(); at != object.MemberEnd(); ++at) {
        if (!keep(*at)) continue;
        if (kept != at) {
            kept->name.Swap(at->name);
            kept->value.Swap(at->value);
        }
        ++kept;
    }
    if (kept != object.MemberEnd()) object.EraseMember(kept, object.MemberEnd());
}

void keep_elements(Value& array, const std::function<bool(const Value&)>& keep) {
    auto* kept = array.Begin();
    for (auto* at = array.Begin(); at != array.End(); ++at) {
        if (!keep(*at)) continue;
        if (kept != at) kept->Swap(*at);
        ++kept;
    }
    array.Erase(kept, array.End());
}

void set_members(Value& object, std::vector<std::pair<std::string_view, Value>> members,
                 Allocator& allocator) {
    std::vector<std::size_t> places;
    places.reserve(members.size());
    {
        const MemberIndex index(object);
        for (const auto& [name, value] : members) places.push_back(index.find(name));
    }
    for (std::size_t i = 0; i < members.size(); ++i) {
        auto& [name, value] = members[i];
        if (places[i] == MemberIndex::npos) {
            object.AddMember(make(name, allocator), std::move(value), allocator);
        } else {
            (object.MemberBegin() + static_cast<std::ptrdiff_t>(places[i]))->value =
                std::move(value);
        }
    }
}

bool equal(const Value& a, const Value& b) {
    if (a.IsObject() && b.IsObject()) return equal_objects(a, b);
    if (!a.IsArray() || !b.IsArray()) return a.GetType() == b.GetType() && a == b;
    if (a.Size() != b.Size()) return false;
    for (rapidjson::SizeType i = 0; i < a.Size(); ++i) {
        if (!equal(a[i], b[i])) return false;
    }
    return true;
}

}  // namespace atelier::json
