// Pruning and defaulting: what gives an object the shape of its schema.
#include <cmath>

#include "base/json_members.h"
#include "crds/causes.h"
#include "crds/schema.h"
#include "crds/schema_node.h"

namespace atelier::crds {
namespace {

using Node = Schema::Node;
using json::Value;
using json::view;

bool is_resource_field(std::string_view name) {
    return name == "apiVersion" || name == "kind" || name == "metadata";
}

void append_name(std::string& path, std::string_view name) {
    if (!path.empty()) path += '.';
    path += name;
}

void prune_node(const Node& node, Value& value, std::string& path,
                std::vector<std::string>& removed) {
    const std::size_t mark = path.size();
    if (value.IsArray()) {
        if (!node.items) return;
        for (rapidjson::SizeType i = 0; i < value.Size(); ++i) {
            path += '[' + std::to_string(i) + ']';
            prune_node(*node.items, value[i], path, removed);
            path.resize(mark);
        }
        return;
    }
    if (!value.IsObject()) return;
    json::keep_members(value, [&](Value::Member& m) {
        const std::string_view name = view(m.name);
        if (node.is_resource && is_resource_field(name)) return true;
        append_name(path, name);
        const Node* known = node.property(name);
        if (!known) known = node.additional.get();
        const bool keeps = known || node.preserve_unknown || node.additional_any;
        if (known) prune_node(*known, m.value, path, removed);
        if (!keeps) add_unknown(removed, path);
        path.resize(mark);
        return keeps;
    });
}

void default_node(const Node& node, Value& value, json::Allocator& allocator) {
    if (value.IsArray()) {
        if (!node.items) return;
        for (Value& element : value.GetArray()) default_node(*node.items, element, allocator);
        return;
    }
    if (value.IsDouble() && node.type == Node::Type::integer) {
        constexpr double exact = 9007199254740992.0;  // 2^53
        const double number = value.GetDouble();
        if (std::trunc(number) == number && std::fabs(number) <= exact) {
            value.SetInt64(static_cast<std::int64_t>(number));
        }
        return;
    }
    if (!value.IsObject()) return;
    for (const auto& [name, property] : node.properties) {
        if (node.is_resource && is_resource_field(name)) continue;
        Value* inner = json::find(value, {name});
        if (inner && inner->IsNull() && !property->nullable) {
            json::remove(value, name);
            inner = nullptr;
        }
        if (!inner && property->default_value) {
            json::set(value, name, Value(*property->default_value, allocator), allocator);
            inner = json::find(value, {name});
        }
        if (inner) default_node(*property, *inner, allocator);
    }
    if (!node.additional) return;
    for (auto& m : value.GetObject()) default_node(*node.additional, m.value, allocator);
}

}  // namespace

void Schema::prune(Value& object, std::vector<std::string>& removed) const {
    std::string path;
    prune_node(*root_, object, path, removed);
}

void Schema::apply_defaults(Value& object, json::Allocator& allocator) const {
    default_node(*root_, object, allocator);
}

}  // namespace atelier::crds
