#include "cli/objects/secrets.h"

#include <map>

#include "base/digest.h"

namespace atelier::cli {
namespace {

// The values of a Secret by their names, in base64 as in the object.
std::map<std::string, std::string> values_of(const json::Value& object) {
    std::map<std::string, std::string> values;
    const json::Value* const data = json::find(object, {"data"});
    if (!data || !data->IsObject()) return values;
    for (const auto& member : data->GetObject()) {
        values.emplace(json::view(member.name), json::text(member.value));
    }
    return values;
}

}  // namespace

bool is_secret(const Resource& resource) {
    return resource.group.empty() && resource.plural == "secrets";
}

std::vector<std::pair<std::string, std::size_t>> sizes_of_values(const json::Value& secret) {
    std::vector<std::pair<std::string, std::size_t>> out;
    const json::Value* const data = json::find(secret, {"data"});
    if (!data || !data->IsObject()) return out;
    for (const auto& member : data->GetObject()) {
        std::string bytes;
        const bool decoded =
            member.value.IsString() && base64_decode(json::view(member.value), bytes);
        out.emplace_back(json::view(member.name), decoded ? bytes.size() : 0);
    }
    return out;
}

void mask_values(json::Document& before, json::Document& after) {
    const auto old_values = values_of(before);
    const auto new_values = values_of(after);
    const auto cover = [](json::Document& object, const auto& own, const auto& other,
                          std::string_view word) {
        json::Value* const data = json::find(object, {"data"});
        for (const auto& [name, value] : own) {
            const auto there = other.find(name);
            const bool differs = there != other.end() && there->second != value;
            json::set(*data, name, differs ? word : "***", object.GetAllocator());
        }
    };
    cover(before, old_values, new_values, "*** (before)");
    cover(after, new_values, old_values, "*** (after)");
}

}  // namespace atelier::cli
