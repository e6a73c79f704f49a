// The compiled form of a schema. Inside crds/ only.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "crds/pattern.h"
#include "crds/schema.h"

namespace atelier::crds {

// A text longer than this does not match any pattern: it is refused unread.
inline constexpr std::size_t longest_matched = 4096;

struct Schema::Node {
    enum class Type { any, object, array, string, integer, number, boolean };
    enum class ListType { atomic, set, map };
    using Nodes = std::vector<std::unique_ptr<Node>>;

    Type type = Type::any;
    bool nullable = false;
    bool int_or_string = false;
    bool preserve_unknown = false;
    bool is_resource = false;  // has apiVersion, kind and metadata without naming them
    std::string format;

    std::vector<std::pair<std::string, std::unique_ptr<Node>>> properties;  // sorted by name
    std::vector<std::string> required;
    std::unique_ptr<Node> additional;  // of the values of a map
    bool additional_any = false;
    std::unique_ptr<Node> items;
    ListType list_type = ListType::atomic;
    std::vector<std::string> map_keys;

    const json::Value* default_value = nullptr;  // these three point into the schema's source
    const json::Value* enum_values = nullptr;
    std::optional<Pattern> pattern;
    std::optional<double> minimum, maximum, multiple_of;
    bool exclusive_minimum = false, exclusive_maximum = false;
    std::optional<std::size_t> min_length, max_length, min_items, max_items, min_properties,
        max_properties;

    Nodes all_of, any_of, one_of;
    std::unique_ptr<Node> negated;

    const Node* property(std::string_view name) const;
};

std::string_view name_of(Schema::Node::Type type);

// The causes of one value against one node, with paths that begin at `path`.
void validate_node(const Schema::Node& node, const json::Value& value, std::string_view path,
                   std::vector<Cause>& causes);

}  // namespace atelier::crds
