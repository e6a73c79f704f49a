#include "apiserver/verbs/strategic_merge.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <vector>

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

        for (const auto& m : patch.GetObject()) {
            const std::string name(json::view(m.name));
            if (name == "$patch" || name == "$retainKeys" || name.starts_with(set_order)) continue;
            if (name.starts_with(delete_from)) {
                remove_values(target, name.substr(delete_from.size()), m.value);
                continue;
            }
            const std::string below = path.empty() ? name : path + "." + name;
            TRY(merge_member(target, name, m.value, below));
        }
        for (const auto& m : patch.GetObject()) {
            const std::string name(json::view(m.name));
            if (!name.starts_with(set_order)) continue;
            const std::string list = name.substr(set_order.size());
            const MergedList* merged = merged_list(path.empty() ? list : path + "." + list);
            if (merged) reorder(target, list, m.value, merged->key);
        }
        return {};
    }

  private:
    Result<void> merge_member(json::Value& target, const std::string& name,
                              const json::Value& value, const std::string& path) {
        if (value.IsNull()) {
            json::remove(target, name);
            return {};
        }
        if (value.IsObject()) {
            return merge_object(json::object_at(target, name, allocator_), value, path);
        }
        const MergedList* list = value.IsArray() ? merged_list(path) : nullptr;
        if (!list) {
            json::set(target, name, json::Value(value, allocator_), allocator_);
            return {};
        }
        json::Value* existing = json::find(target, {name});
        if (!existing || !existing->IsArray()) {
            json::set(target, name, json::Value(rapidjson::kArrayType), allocator_);
            existing = json::find(target, {name});
        }
        return merge_list(*existing, value, *list, path);
    }

    Result<void> merge_list(json::Value& target, const json::Value& patch, const MergedList& list,
                            const std::string& path) {
        for (const json::Value& element : patch.GetArray()) {
            if (list.key.empty()) {
                if (!find_value(target, element)) {
                    target.PushBack(json::Value(element, allocator_), allocator_);
                }
                continue;
            }
            if (!element.IsObject()) {
                return Error{Code::invalid, fmt::format("{}: an element is not an object", path)};
            }
            TRY(merge_element(target, element, list, path));
        }
        return {};
    }

    Result<void> merge_element(json::Value& target, const json::Value& element,
                               const MergedList& list, const std::string& path) {
        const std::string directive = json::string_at(element, {"$patch"});
        if (directive == "replace" && element.MemberCount() == 1) {
            target.Clear();
            return {};
        }
        const json::Value* key = json::find(element, {list.key});
        if (!key) {
            return Error{Code::invalid,
                         fmt::format("{}: an element has no {} to be merged by", path, list.key)};
        }
        const std::optional<rapidjson::SizeType> at = find_key(target, list.key, *key);
        if (directive == "delete") {
            if (at) target.Erase(target.Begin() + *at);
            return {};
        }
        if (at) return merge_object(target[*at], element, path + "[]");
        json::Value fresh(rapidjson::kObjectType);
        TRY(merge_object(fresh, element, path + "[]"));
        target.PushBack(std::move(fresh), allocator_);
        return {};
    }

    static std::optional<rapidjson::SizeType> find_value(const json::Value& list,
                                                         const json::Value& value) {
        for (rapidjson::SizeType i = 0; i < list.Size(); ++i) {
            if (list[i] == value) return i;
        }
        return std::nullopt;
    }
    static std::optional<rapidjson::SizeType> find_key(const json::Value& list,
                                                       std::string_view name,
                                                       const json::Value& key) {
        for (rapidjson::SizeType i = 0; i < list.Size(); ++i) {
            const json::Value* mine = json::find(list[i], {name});
            if (mine && *mine == key) return i;
        }
        return std::nullopt;
    }

    static void retain(json::Value& target, const json::Value& keys) {
        if (!keys.IsArray()) return;
        for (auto m = target.MemberBegin(); m != target.MemberEnd();) {
            m = find_value(keys, m->name) ? m + 1 : target.EraseMember(m);
        }
    }

    static void remove_values(json::Value& target, const std::string& name,
                              const json::Value& values) {
        json::Value* list = json::find(target, {name});
        if (!list || !list->IsArray() || !values.IsArray()) return;
        for (auto element = list->Begin(); element != list->End();) {
            element = find_value(values, *element) ? list->Erase(element) : element + 1;
        }
    }

    // The listed elements, in the order given, in the places where listed elements are.
    void reorder(json::Value& target, const std::string& name, const json::Value& order,
                 std::string_view key) {
        json::Value* list = json::find(target, {name});
        if (!list || !list->IsArray() || !order.IsArray()) return;
        std::vector<rapidjson::SizeType> wanted;
        for (const json::Value& entry : order.GetArray()) {
            std::optional<rapidjson::SizeType> at;
            if (key.empty()) {
                at = find_value(*list, entry);
            } else if (const json::Value* value = json::find(entry, {key})) {
                at = find_key(*list, key, *value);
            }
            const bool seen = at && std::find(wanted.begin(), wanted.end(), *at) != wanted.end();
            if (at && !seen) wanted.push_back(*at);
        }
        std::vector<rapidjson::SizeType> places = wanted;
        std::sort(places.begin(), places.end());
        std::vector<json::Value> moved;
        for (const rapidjson::SizeType at : wanted) moved.emplace_back((*list)[at], allocator_);
        for (std::size_t i = 0; i < places.size(); ++i) (*list)[places[i]] = std::move(moved[i]);
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
