#include "crds/schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "crds/schema_node.h"

namespace atelier::crds {
namespace {

using Node = Schema::Node;
using json::Value;
using json::view;

constexpr std::array<std::pair<Node::Type, std::string_view>, 6> type_names{
    {{Node::Type::object, "object"},
     {Node::Type::array, "array"},
     {Node::Type::string, "string"},
     {Node::Type::integer, "integer"},
     {Node::Type::number, "number"},
     {Node::Type::boolean, "boolean"}}};

// Keywords that describe and mean nothing to us.
constexpr std::string_view silent[] = {
    "title",        "description",           "example",
    "externalDocs", "x-kubernetes-map-type", "x-kubernetes-group-version-kind"};

// Keywords that may stand inside allOf, anyOf, oneOf and not: the structure is said outside.
constexpr std::string_view inside_logic[] = {"title",
                                             "description",
                                             "format",
                                             "enum",
                                             "pattern",
                                             "minimum",
                                             "maximum",
                                             "multipleOf",
                                             "minLength",
                                             "maxLength",
                                             "minItems",
                                             "maxItems",
                                             "required",
                                             "properties",
                                             "items",
                                             "minProperties",
                                             "maxProperties",
                                             "exclusiveMinimum",
                                             "exclusiveMaximum",
                                             "allOf",
                                             "anyOf",
                                             "oneOf",
                                             "not"};

template <std::size_t N>
bool is_among(std::string_view word, const std::string_view (&words)[N]) {
    return std::find(std::begin(words), std::end(words), word) != std::end(words);
}

class Compiler {
  public:
    Result<std::unique_ptr<Node>> node(const Value& schema, const std::string& path) {
        if (!schema.IsObject()) return fail(path, "must be an object");
        auto out = std::make_unique<Node>();
        // Before the others: it decides what may stand inside logic.
        const Value* twin = json::find(schema, {"x-kubernetes-int-or-string"});
        out->int_or_string = twin && twin->IsTrue();
        for (const auto& m : schema.GetObject()) {
            TRY(keyword(*out, view(m.name), m.value, path));
        }
        TRY(check_structure(*out, path));
        return out;
    }

  private:
    static Error fail(const std::string& path, std::string_view why) {
        return {Code::invalid, fmt::format("schema {}: {}", path.empty() ? "root" : path, why)};
    }

    Result<void> keyword(Node& out, std::string_view name, const Value& value,
                         const std::string& path) {
        if (is_among(name, silent)) return {};
        if (name == "type") return type(out, value, path);
        if (name == "format") return text(out.format, name, value, path);
        if (name == "nullable") return flag(out.nullable, name, value, path);
        if (name == "x-kubernetes-int-or-string") return {};
        if (name == "x-kubernetes-preserve-unknown-fields") {
            return flag(out.preserve_unknown, name, value, path);
        }
        if (name == "x-kubernetes-embedded-resource") {
            return flag(out.is_resource, name, value, path);
        }
        if (name == "x-kubernetes-list-type") return list_type(out, value, path);
        if (name == "x-kubernetes-list-map-keys") return texts(out.map_keys, name, value, path);
        if (name == "default") {
            out.default_value = &value;
            return {};
        }
        if (name == "properties") return properties(out, value, path);
        if (name == "additionalProperties") return additional(out, value, path);
        if (name == "items") {
            out.items = TRY(node(value, path + "[]"));
            return {};
        }
        return validation(out, name, value, path);
    }

    Result<void> validation(Node& out, std::string_view name, const Value& value,
                            const std::string& path) {
        if (name == "required") return texts(out.required, name, value, path);
        if (name == "pattern") return pattern(out, value, path);
        if (name == "minimum") return number(out.minimum, name, value, path);
        if (name == "maximum") return number(out.maximum, name, value, path);
        if (name == "multipleOf") return number(out.multiple_of, name, value, path);
        if (name == "exclusiveMinimum") return flag(out.exclusive_minimum, name, value, path);
        if (name == "exclusiveMaximum") return flag(out.exclusive_maximum, name, value, path);
        if (name == "minLength") return count(out.min_length, name, value, path);
        if (name == "maxLength") return count(out.max_length, name, value, path);
        if (name == "minItems") return count(out.min_items, name, value, path);
        if (name == "maxItems") return count(out.max_items, name, value, path);
        if (name == "minProperties") return count(out.min_properties, name, value, path);
        if (name == "maxProperties") return count(out.max_properties, name, value, path);
        if (name == "enum") {
            if (!value.IsArray() || value.Empty()) return fail(path, "enum must be a filled list");
            out.enum_values = &value;
            return {};
        }
        if (name == "allOf") return branches(out, out.all_of, name, value, path);
        if (name == "anyOf") return branches(out, out.any_of, name, value, path);
        if (name == "oneOf") return branches(out, out.one_of, name, value, path);
        if (name == "not") {
            out.negated = TRY(branch(out, value, path + ".not"));
            return {};
        }
        return fail(path, fmt::format("the keyword \"{}\" is not served", name));
    }

    static Result<void> type(Node& out, const Value& value, const std::string& path) {
        for (const auto& [t, name] : type_names) {
            if (value.IsString() && view(value) == name) {
                out.type = t;
                return {};
            }
        }
        return fail(path, "type must be object, array, string, integer, number or boolean");
    }

    static Result<void> list_type(Node& out, const Value& value, const std::string& path) {
        const std::string_view text = value.IsString() ? view(value) : std::string_view();
        if (text == "set") {
            out.list_type = Node::ListType::set;
        } else if (text == "map") {
            out.list_type = Node::ListType::map;
        } else if (text != "atomic") {
            return fail(path, "x-kubernetes-list-type must be atomic, set or map");
        }
        return {};
    }

    static Result<void> pattern(Node& out, const Value& value, const std::string& path) {
        std::string source;
        TRY(text(source, "pattern", value, path));
        auto compiled = Pattern::compile(std::move(source));
        if (!compiled) return compiled.error().in("schema " + path);
        out.pattern = *std::move(compiled);
        return {};
    }

    Result<void> properties(Node& out, const Value& value, const std::string& path) {
        if (!value.IsObject()) return fail(path, "properties must be an object");
        for (const auto& m : value.GetObject()) {
            std::string name(view(m.name));
            const std::string inner = path.empty() ? name : path + "." + name;
            auto property = TRY(node(m.value, inner));
            out.properties.emplace_back(std::move(name), std::move(property));
        }
        std::sort(out.properties.begin(), out.properties.end(),
                  [](const auto& a, const auto& b) { return a.first < b.first; });
        return {};
    }

    Result<void> additional(Node& out, const Value& value, const std::string& path) {
        if (value.IsTrue()) {
            out.additional_any = true;
            return {};
        }
        if (value.IsFalse()) return fail(path, "additionalProperties may not be false");
        out.additional = TRY(node(value, path + ".*"));
        return {};
    }

    Result<void> branches(Node& outer, Node::Nodes& out, std::string_view name, const Value& value,
                          const std::string& path) {
        if (!value.IsArray() || value.Empty()) {
            return fail(path, fmt::format("{} must be a filled list", name));
        }
        for (const Value& inner : value.GetArray()) {
            out.push_back(TRY(branch(outer, inner, fmt::format("{}.{}", path, name))));
        }
        return {};
    }

    // A schema inside logic. It may only name what the schema around it describes; check_branch()
    // checks that once the outer one is complete.
    Result<std::unique_ptr<Node>> branch(Node& outer, const Value& schema,
                                         const std::string& path) {
        if (!schema.IsObject()) return fail(path, "must be an object");
        auto out = std::make_unique<Node>();
        for (const auto& m : schema.GetObject()) {
            const std::string_view name = view(m.name);
            if (outer.int_or_string && name == "type") {
                TRY(type(*out, m.value, path));
                continue;
            }
            if (!is_among(name, inside_logic)) {
                return fail(path, fmt::format("\"{}\" may not stand inside logic", name));
            }
            if (name == "properties") {
                if (!m.value.IsObject()) return fail(path, "properties must be an object");
                for (const auto& p : m.value.GetObject()) {
                    std::string key(view(p.name));
                    auto inner = TRY(branch(*out, p.value, path + "." + key));
                    out->properties.emplace_back(std::move(key), std::move(inner));
                }
                std::sort(out->properties.begin(), out->properties.end(),
                          [](const auto& a, const auto& b) { return a.first < b.first; });
            } else if (name == "items") {
                out->items = TRY(branch(*out, m.value, path + "[]"));
            } else {
                TRY(keyword(*out, name, m.value, path));
            }
        }
        return out;
    }

    static Result<void> check_structure(const Node& n, const std::string& path) {
        if (n.type == Node::Type::any && !n.int_or_string && !n.preserve_unknown) {
            return fail(path, "no type");
        }
        if (n.type == Node::Type::array && !n.items) return fail(path, "an array without items");
        if (!n.properties.empty() && (n.additional || n.additional_any)) {
            return fail(path, "both properties and additionalProperties");
        }
        if (n.is_resource && n.type != Node::Type::object) {
            return fail(path, "an embedded resource that is not an object");
        }
        if (n.list_type == Node::ListType::map) {
            if (n.map_keys.empty() || !n.items || n.items->type != Node::Type::object) {
                return fail(path, "a list of type map without keys, or of other than objects");
            }
            for (const std::string& key : n.map_keys) {
                const Node* property = n.items->property(key);
                const bool given = property && (property->default_value ||
                                                std::count(n.items->required.begin(),
                                                           n.items->required.end(), key) > 0);
                if (!given) {
                    return fail(path, fmt::format("the key \"{}\" of the list is neither required "
                                                  "nor has a default",
                                                  key));
                }
            }
        }
        for (const Node::Nodes* nodes : {&n.all_of, &n.any_of, &n.one_of}) {
            for (const auto& inner : *nodes) TRY(check_branch(n, *inner, path));
        }
        if (n.negated) TRY(check_branch(n, *n.negated, path));
        return check_default(n, path);
    }

    static Result<void> check_branch(const Node& outer, const Node& inner,
                                     const std::string& path) {
        for (const auto& [name, property] : inner.properties) {
            const Node* known = outer.property(name);
            if (!known) {
                return fail(path, fmt::format("\"{}\" is named inside logic only", name));
            }
            TRY(check_branch(*known, *property, path + "." + name));
        }
        if (inner.items) {
            if (!outer.items) return fail(path, "items are named inside logic only");
            TRY(check_branch(*outer.items, *inner.items, path + "[]"));
        }
        for (const Node::Nodes* nodes : {&inner.all_of, &inner.any_of, &inner.one_of}) {
            for (const auto& deeper : *nodes) TRY(check_branch(outer, *deeper, path));
        }
        return {};
    }

    static Result<void> check_default(const Node& n, const std::string& path) {
        if (!n.default_value) return {};
        if (n.default_value->IsNull() && n.nullable) return {};
        std::vector<Cause> causes;
        validate_node(n, *n.default_value, path, causes);
        if (causes.empty()) return {};
        return fail(path, "the default is not valid: " + causes.front().message);
    }

    static Result<void> text(std::string& out, std::string_view name, const Value& value,
                             const std::string& path) {
        if (!value.IsString()) return fail(path, fmt::format("{} must be a string", name));
        out = view(value);
        return {};
    }
    static Result<void> texts(std::vector<std::string>& out, std::string_view name,
                              const Value& value, const std::string& path) {
        bool good = value.IsArray();
        if (good) {
            for (const Value& element : value.GetArray()) {
                good = good && element.IsString();
                if (good) out.emplace_back(view(element));
            }
        }
        if (!good) return fail(path, fmt::format("{} must be a list of strings", name));
        return {};
    }
    static Result<void> flag(bool& out, std::string_view name, const Value& value,
                             const std::string& path) {
        if (!value.IsBool()) return fail(path, fmt::format("{} must be a boolean", name));
        out = value.GetBool();
        return {};
    }
    static Result<void> number(std::optional<double>& out, std::string_view name,
                               const Value& value, const std::string& path) {
        if (!value.IsNumber()) return fail(path, fmt::format("{} must be a number", name));
        out = value.GetDouble();
        return {};
    }
    static Result<void> count(std::optional<std::size_t>& out, std::string_view name,
                              const Value& value, const std::string& path) {
        if (!value.IsUint64()) return fail(path, fmt::format("{} must be a count", name));
        out = value.GetUint64();
        return {};
    }
};

}  // namespace

std::string_view name_of(Schema::Node::Type type) {
    for (const auto& [t, name] : type_names) {
        if (t == type) return name;
    }
    return "any";
}

const Schema::Node* Schema::Node::property(std::string_view name) const {
    const auto it = std::lower_bound(properties.begin(), properties.end(), name,
                                     [](const auto& p, std::string_view n) { return p.first < n; });
    return it != properties.end() && it->first == name ? it->second.get() : nullptr;
}

Result<std::shared_ptr<const Schema>> Schema::compile(const json::Value& open_api_v3) {
    std::shared_ptr<Schema> schema(new Schema);
    schema->source_.CopyFrom(open_api_v3, schema->source_.GetAllocator());
    auto root = TRY(Compiler().node(schema->source_, ""));
    if (root->type != Node::Type::object) {
        return Error{Code::invalid, "schema root: the type must be object"};
    }
    root->is_resource = true;
    schema->root_ = std::move(root);
    return std::shared_ptr<const Schema>(std::move(schema));
}

}  // namespace atelier::crds
