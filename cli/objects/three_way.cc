#include "cli/objects/three_way.h"

namespace atelier::cli {
namespace {

using json::Allocator;
using json::Value;

// The members of `to` that `from` lacks or that differ from those of `from`. Lists are replaced as
// a whole.
Value changes(const Value& from, const Value& to, Allocator& allocator) {
    Value out(rapidjson::kObjectType);
    for (const auto& member : to.GetObject()) {
        const auto old = from.FindMember(member.name);
        const bool present = old != from.MemberEnd();
        if (present && old->value == member.value) continue;
        if (present && old->value.IsObject() && member.value.IsObject()) {
            Value inner = changes(old->value, member.value, allocator);
            if (inner.MemberCount() > 0) {
                out.AddMember(Value(member.name, allocator), inner, allocator);
            }
        } else if (!member.value.IsNull() || present) {
            out.AddMember(Value(member.name, allocator), Value(member.value, allocator), allocator);
        }
    }
    return out;
}

// A null for each member that `original` has, `wanted` lacks, and `live` still has.
Value removals(const Value& original, const Value& wanted, const Value& live,
               Allocator& allocator) {
    Value out(rapidjson::kObjectType);
    for (const auto& member : original.GetObject()) {
        const auto now = live.FindMember(member.name);
        if (now == live.MemberEnd()) continue;
        const auto kept = wanted.FindMember(member.name);
        if (kept == wanted.MemberEnd()) {
            out.AddMember(Value(member.name, allocator), Value(), allocator);
        } else if (kept->value.IsObject() && member.value.IsObject() && now->value.IsObject()) {
            Value inner = removals(member.value, kept->value, now->value, allocator);
            if (inner.MemberCount() > 0) {
                out.AddMember(Value(member.name, allocator), inner, allocator);
            }
        }
    }
    return out;
}

// Merges one patch into the other. A member that both have stays as `to` has it.
void join_patches(Value& to, const Value& from, Allocator& allocator) {
    for (const auto& member : from.GetObject()) {
        const auto present = to.FindMember(member.name);
        if (present == to.MemberEnd()) {
            to.AddMember(Value(member.name, allocator), Value(member.value, allocator), allocator);
        } else if (present->value.IsObject() && member.value.IsObject()) {
            join_patches(present->value, member.value, allocator);
        }
    }
}

json::Document last_applied_of(const Value& live) {
    const std::string text =
        json::string_at(live, {"metadata", "annotations", last_applied_annotation});
    if (!text.empty()) {
        auto document = json::parse(text);
        if (document && document->IsObject()) return *std::move(document);
    }
    return json::Document(rapidjson::kObjectType);
}

}  // namespace

json::Document with_last_applied(const Value& object) {
    json::Document out = json::copy(object);
    auto& allocator = out.GetAllocator();
    Value& annotations =
        json::object_at(json::object_at(out, "metadata", allocator), "annotations", allocator);
    json::remove(annotations, last_applied_annotation);
    // kubectl ends the text with a newline. Ours does too, so that neither tool sees a difference
    // in what the other one wrote.
    const std::string text = json::canonical(out) + "\n";
    json::set(annotations, last_applied_annotation, text, allocator);
    return out;
}

json::Document three_way_patch(const Value& live, const Value& wanted) {
    json::Document out(rapidjson::kObjectType);
    auto& allocator = out.GetAllocator();
    static_cast<Value&>(out) = removals(last_applied_of(live), wanted, live, allocator);
    const Value set = changes(live, wanted, allocator);
    join_patches(out, set, allocator);
    return out;
}

}  // namespace atelier::cli
