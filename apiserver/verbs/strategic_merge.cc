#include "apiserver/verbs/strategic_merge.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/json_members.h"

namespace atelier::apiserver {
namespace {

constexpr std::string_view set_order = "$setElementOrder/";
constexpr std::string_view delete_from = "$deleteFromPrimitiveList/";

struct MergedList {
    std::string_view path;
    std::string_view key;  // empty: a set of plain values
};
constexpr std::array<MergedList, 5> merged_lists{{{"metadata.finalizers", ""},
                                                  {"metadata.ownerReferences", "uid"},
                                                  {"status.conditions", "type"},
                                                  {"secrets", "name"},
                                                  {"imagePullSecrets", "name"}}};

const MergedList* merged_list(std::string_view path) {
    for (const MergedList& list : merged_lists) {
        if (list.path == path) return &list;
    }
    return nullptr;
}

// What elements are compared by: equal texts, equal values. Keys and elements of sets are small.
std::string text_of(const json::Value& value) {
    return json::canonical(value);
}

std::unordered_set<std::string> texts_of(const json::Value& list) {
    std::unordered_set<std::string> out;
    for (const json::Value& value : list.GetArray()) out.insert(text_of(value));
    return out;
}

// The first element that has each key.
std::unordered_map<std::string, rapidjson::SizeType> elements_by_key(const json::Value& list,
                                                                     std::string_view key) {
    std::unordered_map<std::string, rapidjson::SizeType> out;
    for (rapidjson::SizeType i = 0; i < list.Size(); ++i) {
        const json::Value* mine = key.empty() ? &list[i] : json::find(list[i], {key});
        if (mine) out.emplace(text_of(*mine), i);
    }
    return out;
}

// Removes the elements for which `keep` is false.
template <class Keep>
void keep_elements(json::Value& list, Keep keep) {
    rapidjson::SizeType kept = 0;
    for (rapidjson::SizeType i = 0; i < list.Size(); ++i) {
        if (!keep(i)) continue;
        if (kept != i) list[kept].Swap(list[i]);
        ++kept;
    }
    list.Erase(list.Begin() + kept, list.End());
}

bool is_directive(std::string_view name) {
    return name == "$patch" || name == "$retainKeys" || name.starts_with(set_order) ||
           name.starts_with(delete_from);
}

// Each function costs n log n of what it merges.
class Merger {
  public:
    explicit Merger(json::Allocator& allocator) : allocator_(allocator) {}

    Result<void> merge_object(json::Value& target, const json::Value& patch,
                              const std::string& path) {
        const std::string directive = json::string_at(patch, {"$patch"});
        if (directive == "delete") {
            target.SetObject();
            return {};
        }
        if (directive == "replace") {
            target.SetObject();
        } else if (!directive.empty() && directive != "merge") {
            return Error{Code::invalid, fmt::format("unknown $patch \"{}\"", directive)};
        }
        if (!target.IsObject()) target.SetObject();
        if (const json::Value* keys = json::find(patch, {"$retainKeys"})) retain(target, *keys);
        remove_values(target, patch);
        TRY(merge_members(target, patch, path));
        reorder_lists(target, patch, path);
        return {};
    }

  private:
    Result<void> merge_members(json::Value& target, const json::Value& patch,
                               const std::string& path) {
        std::vector<bool> removed(target.MemberCount());
        std::vector<std::pair<std::string_view, json::Value>> fresh;
        {
            const json::MemberIndex index(target);
            for (const auto& m : patch.GetObject()) {
                const std::string_view name = json::view(m.name);
                if (is_directive(name)) continue;
                const std::size_t at = index.find(name);
                const bool exists = at != json::MemberIndex::npos;
                if (m.value.IsNull()) {
                    if (exists) removed[at] = true;
                    continue;
                }
                json::Value added;
                json::Value& into =
                    exists ? (target.MemberBegin() + static_cast<std::ptrdiff_t>(at))->value
                           : added;
                TRY(merge_value(into, m.value,
                                path.empty() ? std::string(name) : path + "." + std::string(name)));
                if (!exists) fresh.emplace_back(name, std::move(added));
            }
        }
        std::size_t at = 0;
        json::keep_members(target, [&](const json::Value::Member&) { return !removed[at++]; });
        for (auto& [name, value] : fresh) {
            target.AddMember(json::make(name, allocator_), std::move(value), allocator_);
        }
        return {};
    }

    Result<void> merge_value(json::Value& target, const json::Value& value,
                             const std::string& path) {
        if (value.IsObject()) return merge_object(target, value, path);
        const MergedList* list = value.IsArray() ? merged_list(path) : nullptr;
        if (!list) {
            target.CopyFrom(value, allocator_);
            return {};
        }
        if (!target.IsArray()) target.SetArray();
        if (!list->key.empty()) return merge_list(target, value, *list, path);
        auto known = texts_of(target);
        for (const json::Value& element : value.GetArray()) {
            if (!known.insert(text_of(element)).second) continue;
            target.PushBack(json::Value(element, allocator_), allocator_);
        }
        return {};
    }

    Result<void> merge_list(json::Value& target, const json::Value& patch, const MergedList& list,
                            const std::string& path) {
        auto places = elements_by_key(target, list.key);
        std::vector<bool> removed(target.Size());
        for (const json::Value& element : patch.GetArray()) {
            if (!element.IsObject()) {
                return Error{Code::invalid, fmt::format("{}: an element is not an object", path)};
            }
            const std::string directive = json::string_at(element, {"$patch"});
            if (directive == "replace" && element.MemberCount() == 1) {
                target.Clear();
                removed.clear();
                places.clear();
                continue;
            }
            const json::Value* key = json::find(element, {list.key});
            if (!key) {
                return Error{Code::invalid, fmt::format("{}: an element has no {} to be merged by",
                                                        path, list.key)};
            }
            const auto place = places.find(text_of(*key));
            if (directive == "delete") {
                if (place == places.end()) continue;
                removed[place->second] = true;
                places.erase(place);
            } else if (place != places.end()) {
                TRY(merge_object(target[place->second], element, path + "[]"));
            } else {
                json::Value fresh(rapidjson::kObjectType);
                TRY(merge_object(fresh, element, path + "[]"));
                places.emplace(text_of(*key), target.Size());
                target.PushBack(std::move(fresh), allocator_);
                removed.push_back(false);
            }
        }
        keep_elements(target, [&](rapidjson::SizeType i) { return !removed[i]; });
        return {};
    }

    static void retain(json::Value& target, const json::Value& keys) {
        if (!keys.IsArray()) return;
        const auto kept = texts_of(keys);
        json::keep_members(target,
                           [&](json::Value::Member& m) { return kept.contains(text_of(m.name)); });
    }

    // The list of the target that a directive is about; nullptr: there is none.
    static json::Value* list_of(json::Value& target, const json::MemberIndex& index,
                                std::string_view name) {
        const std::size_t at = index.find(name);
        if (at == json::MemberIndex::npos) return nullptr;
        json::Value& list = (target.MemberBegin() + static_cast<std::ptrdiff_t>(at))->value;
        return list.IsArray() ? &list : nullptr;
    }

    // As the directives $deleteFromPrimitiveList/… of the patch say.
    static void remove_values(json::Value& target, const json::Value& patch) {
        const json::MemberIndex index(target);
        for (const auto& m : patch.GetObject()) {
            const std::string_view name = json::view(m.name);
            if (!name.starts_with(delete_from) || !m.value.IsArray()) continue;
            json::Value* list = list_of(target, index, name.substr(delete_from.size()));
            if (!list) continue;
            const auto gone = texts_of(m.value);
            keep_elements(
                *list, [&](rapidjson::SizeType i) { return !gone.contains(text_of((*list)[i])); });
        }
    }

    static void reorder_lists(json::Value& target, const json::Value& patch,
                              const std::string& path) {
        const json::MemberIndex index(target);
        for (const auto& m : patch.GetObject()) {
            const std::string_view name = json::view(m.name);
            if (!name.starts_with(set_order) || !m.value.IsArray()) continue;
            const std::string list(name.substr(set_order.size()));
            const MergedList* merged = merged_list(path.empty() ? list : path + "." + list);
            json::Value* elements = merged ? list_of(target, index, list) : nullptr;
            if (elements) reorder(*elements, m.value, merged->key);
        }
    }

    // The listed elements, in the order given, in the places where listed elements are.
    static void reorder(json::Value& list, const json::Value& order, std::string_view key) {
        auto places = elements_by_key(list, key);
        std::vector<rapidjson::SizeType> wanted;
        for (const json::Value& entry : order.GetArray()) {
            const json::Value* value = key.empty() ? &entry : json::find(entry, {key});
            const auto place = value ? places.find(text_of(*value)) : places.end();
            if (place == places.end()) continue;
            wanted.push_back(place->second);
            places.erase(place);
        }
        std::vector<rapidjson::SizeType> sorted = wanted;
        std::sort(sorted.begin(), sorted.end());
        std::vector<json::Value> moved;
        for (const rapidjson::SizeType at : wanted) moved.push_back(std::move(list[at]));
        for (std::size_t i = 0; i < sorted.size(); ++i) list[sorted[i]] = std::move(moved[i]);
    }

    json::Allocator& allocator_;
};

}  // namespace

Result<void> apply_strategic_merge(json::Value& target, const json::Value& patch,
                                   json::Allocator& allocator) {
    if (!patch.IsObject()) return Error{Code::invalid, "a strategic merge patch is an object"};
    return Merger(allocator).merge_object(target, patch, "");
}

}  // namespace atelier::apiserver
