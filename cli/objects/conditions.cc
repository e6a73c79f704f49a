#include "cli/objects/conditions.h"

#include "base/text.h"

namespace atelier::cli {
namespace {

bool is_current(const json::Value& condition, const json::Value& object) {
    const json::Value* const observed = json::find(condition, {"observedGeneration"});
    const json::Value* const generation = json::find(object, {"metadata", "generation"});
    return !observed || !generation || !observed->IsInt64() || !generation->IsInt64() ||
           observed->GetInt64() >= generation->GetInt64();
}

}  // namespace

const json::Value* find_condition(const json::Value& object, std::string_view type) {
    const json::Value* const conditions = json::find(object, {"status", "conditions"});
    if (!conditions || !conditions->IsArray()) return nullptr;
    for (const auto& condition : conditions->GetArray()) {
        if (lower(json::string_at(condition, {"type"})) == lower(type)) return &condition;
    }
    return nullptr;
}

bool has_condition(const json::Value& object, std::string_view type, std::string_view status) {
    const json::Value* const condition = find_condition(object, type);
    return condition && is_current(*condition, object) &&
           lower(json::string_at(*condition, {"status"})) == lower(status);
}

const json::Value* telling_condition(const json::Value& object) {
    for (const char* type : {"Stalled", "Ready"}) {
        const json::Value* const condition = find_condition(object, type);
        if (condition && !json::string_at(*condition, {"message"}).empty()) return condition;
    }
    return nullptr;
}

std::string last_words(const json::Value& object) {
    const json::Value* const condition = telling_condition(object);
    if (!condition) return {};
    return json::string_at(*condition, {"reason"}) + ": " +
           json::string_at(*condition, {"message"});
}

Holdup holdup_of(const json::Value& object) {
    Holdup out;
    if (const auto words = last_words(object); !words.empty()) out.words = ": " + words;
    if (has_condition(object, "Stalled", "True")) out.code = exit_code::stalled;
    if (waits_for_approval(object)) out.code = exit_code::waiting_for_approval;
    return out;
}

bool waits_for_approval(const json::Value& object) {
    const std::string kind = json::string_at(object, {"kind"});
    if (kind == "PluginUpdate") {
        return json::string_at(object, {"status", "phase"}) == "Pending" &&
               json::string_at(object, {"spec", "decision"}).empty();
    }
    return kind == "Org" && has_condition(object, "PruneBlocked", "True");
}

}  // namespace atelier::cli
