#include "controllers/namespace_status.h"

#include <fmt/format.h>

#include <string_view>

namespace atelier::controllers {
namespace {

using json::Value;

struct Says {
    std::string_view type;
    bool is_true;
    std::string_view reason;
    std::string message;
};

std::string counted(const std::map<std::string, std::size_t>& counts, std::string_view form) {
    std::string out;
    for (const auto& [name, count] : counts) {
        out += out.empty() ? "" : ", ";
        out += fmt::format(fmt::runtime(form), name, count);
    }
    return out;
}

Says about_failures(const RemainingContent& remaining) {
    constexpr std::string_view type = "NamespaceDeletionContentFailure";
    if (remaining.failures.empty()) {
        return {type, false, "ContentDeleted",
                "All content successfully deleted, may be waiting on finalization"};
    }
    return {type, true, "ContentDeletionFailed",
            fmt::format("Failed to delete all resource types, {} remaining: {}",
                        remaining.failures.size(),
                        counted(remaining.failures, "{} in {} resource instances"))};
}

Says about_content(const RemainingContent& remaining) {
    constexpr std::string_view type = "NamespaceContentRemaining";
    if (remaining.resources.empty()) {
        return {type, false, "ContentRemoved", "All content successfully removed"};
    }
    return {type, true, "SomeResourcesRemain",
            fmt::format("Some resources are remaining: {}",
                        counted(remaining.resources, "{} has {} resource instances"))};
}

Says about_finalizers(const RemainingContent& remaining) {
    constexpr std::string_view type = "NamespaceFinalizersRemaining";
    if (remaining.finalizers.empty()) {
        return {type, false, "ContentHasNoFinalizers",
                "All content-preserving finalizers finished"};
    }
    return {type, true, "SomeFinalizersRemain",
            fmt::format("Some content in the namespace has finalizers remaining: {}",
                        counted(remaining.finalizers, "{} in {} resource instances"))};
}

Value* find_condition(Value& conditions, std::string_view type) {
    for (Value& condition : conditions.GetArray()) {
        if (json::string_at(condition, {"type"}) == type) return &condition;
    }
    return nullptr;
}

bool set_condition(Value& conditions, const Says& says, Instant now, json::Allocator& allocator) {
    const std::string_view status = says.is_true ? "True" : "False";
    Value* found = find_condition(conditions, says.type);
    if (found && json::string_at(*found, {"status"}) == status &&
        json::string_at(*found, {"reason"}) == says.reason &&
        json::string_at(*found, {"message"}) == says.message) {
        return false;
    }
    if (!found) {
        conditions.PushBack(Value(rapidjson::kObjectType), allocator);
        found = &conditions[conditions.Size() - 1];
    }
    const bool turned = json::string_at(*found, {"status"}) != status;
    json::set(*found, "type", says.type, allocator);
    json::set(*found, "status", status, allocator);
    if (turned) json::set(*found, "lastTransitionTime", rfc3339(now), allocator);
    json::set(*found, "reason", says.reason, allocator);
    json::set(*found, "message", says.message, allocator);
    return true;
}

}  // namespace

void RemainingContent::add(const store::Object& object) {
    ++resources[object.key.resource];
    for (const std::string& finalizer : object.meta.finalizers) ++finalizers[finalizer];
}

bool set_remaining(json::Document& ns, const RemainingContent& remaining, Instant now) {
    auto& allocator = ns.GetAllocator();
    Value& status = json::object_at(ns, "status", allocator);
    Value* conditions = json::find(status, {"conditions"});
    if (!conditions || !conditions->IsArray()) {
        json::set(status, "conditions", Value(rapidjson::kArrayType), allocator);
        conditions = json::find(status, {"conditions"});
    }
    bool changed = false;
    for (const Says& says :
         {about_failures(remaining), about_content(remaining), about_finalizers(remaining)}) {
        changed = set_condition(*conditions, says, now, allocator) || changed;
    }
    return changed;
}

}  // namespace atelier::controllers
