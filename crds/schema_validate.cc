// Validation. The messages are those of Kubernetes' API server, because clients show them as they
// are and people know them.
#include <fmt/format.h>

#include <cmath>
#include <unordered_set>

#include "base/json_members.h"
#include "base/text.h"
#include "crds/causes.h"
#include "crds/format.h"
#include "crds/schema.h"
#include "crds/schema_node.h"

namespace atelier::crds {
namespace {

using Node = Schema::Node;
using json::Value;
using json::view;

// A place in the object; rendered only when something is wrong there.
struct Place {
    const Place* outer = nullptr;
    std::string_view name;
    std::size_t index = 0;
    bool is_index = false;

    void append_to(std::string& out) const {
        if (outer) outer->append_to(out);
        if (is_index) {
            out += fmt::format("[{}]", index);
        } else if (!name.empty()) {
            if (!out.empty()) out += '.';
            out += name;
        }
    }
    std::string text() const {
        std::string out;
        append_to(out);
        return out;
    }
};

std::string_view type_of(const Value& value) {
    if (value.IsNull()) return "null";
    if (value.IsBool()) return "boolean";
    if (value.IsString()) return "string";
    if (value.IsObject()) return "object";
    if (value.IsArray()) return "array";
    return value.IsDouble() ? "number" : "integer";
}

std::size_t characters(std::string_view text) {
    std::size_t count = 0;
    for (const char c : text) count += (static_cast<unsigned char>(c) & 0xc0u) != 0x80u;
    return count;
}

// The value as a message shows it: JSON, not too long.
std::string shown(const Value& value) {
    constexpr std::size_t most = 200;
    std::string text = json::text(value);
    if (text.size() <= most) return text;
    std::size_t end = most;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0u) == 0x80u) --end;
    return text.substr(0, end) + "…";
}

// -1, 0 and -1.5 without the noise of a floating point number.
std::string shown(double number) {
    return fmt::format("{}", number);
}

class Validator {
  public:
    explicit Validator(std::vector<Cause>& causes) : causes_(causes) {}

    void check(const Node& node, const Value& value, const Place& at) {
        if (causes_.size() > most_causes) return;
        if (value.IsNull() && node.nullable) return;
        if (!has_type(node, value)) return;
        check_enum(node, value, at);
        if (value.IsString()) {
            check_string(node, value, at);
        } else if (value.IsNumber()) {
            check_number(node, value, at);
        } else if (value.IsArray()) {
            check_array(node, value, at);
        } else if (value.IsObject()) {
            check_object(node, value, at);
        }
        check_logic(node, value, at);
    }

    // As check, for a node of the structure: its type counts, too.
    void check_typed(const Node& node, const Value& value, const Place& at) {
        if (causes_.size() > most_causes) return;
        if (value.IsNull() && node.nullable) return;
        if (!has_type(node, value)) {
            const std::string_view wanted =
                node.int_or_string ? std::string_view("integer or string") : name_of(node.type);
            add(at, "FieldValueTypeInvalid",
                fmt::format("Invalid value: \"{}\": {} in body must be of type {}: \"{}\"",
                            type_of(value), at.text(), wanted, type_of(value)));
            return;
        }
        check(node, value, at);
    }

  private:
    void add(const Place& at, std::string_view reason, std::string message) {
        if (causes_.size() >= most_causes) return add_more(causes_);
        causes_.push_back({at.text(), std::string(reason), std::move(message)});
    }
    void invalid(const Place& at, const Value& value, std::string_view rule) {
        add(at, "FieldValueInvalid",
            fmt::format("Invalid value: {}: {} in body {}", shown(value), at.text(), rule));
    }

    static bool has_type(const Node& node, const Value& value) {
        if (node.int_or_string) return value.IsInt64() || value.IsUint64() || value.IsString();
        switch (node.type) {
            case Node::Type::any:
                return true;
            case Node::Type::object:
                return value.IsObject();
            case Node::Type::array:
                return value.IsArray();
            case Node::Type::string:
                return value.IsString();
            case Node::Type::integer:
                return value.IsInt64() || value.IsUint64();
            case Node::Type::number:
                return value.IsNumber();
            case Node::Type::boolean:
                return value.IsBool();
        }
        return false;
    }

    void check_enum(const Node& node, const Value& value, const Place& at) {
        if (!node.enum_values) return;
        std::string supported;
        for (const Value& candidate : node.enum_values->GetArray()) {
            if (json::equal(candidate, value)) return;
            supported += (supported.empty() ? "" : ", ") + json::text(candidate);
        }
        add(at, "FieldValueNotSupported",
            fmt::format("Unsupported value: {}: supported values: {}", shown(value), supported));
    }

    void check_string(const Node& node, const Value& value, const Place& at) {
        const std::string_view text = view(value);
        if (node.min_length || node.max_length) {
            const std::size_t length = characters(text);
            if (node.max_length && length > *node.max_length) {
                add(at, "FieldValueTooLong",
                    fmt::format("Too long: may not be longer than {}", *node.max_length));
                return;
            }
            if (node.min_length && length < *node.min_length) {
                invalid(at, value,
                        fmt::format("should be at least {} chars long", *node.min_length));
            }
        }
        if (node.pattern) {
            if (text.size() > longest_matched) {
                add(at, "FieldValueTooLong",
                    fmt::format("Too long: may not be longer than {}", longest_matched));
            } else if (!node.pattern->is_in(text)) {
                invalid(at, value, fmt::format("should match '{}'", node.pattern->text()));
            }
        }
        check_format(node, value, at);
    }

    void check_number(const Node& node, const Value& value, const Place& at) {
        const double number = value.GetDouble();
        if (node.minimum &&
            (node.exclusive_minimum ? number <= *node.minimum : number < *node.minimum)) {
            invalid(
                at, value,
                fmt::format("should be greater than {}{}",
                            node.exclusive_minimum ? "" : "or equal to ", shown(*node.minimum)));
        }
        if (node.maximum &&
            (node.exclusive_maximum ? number >= *node.maximum : number > *node.maximum)) {
            invalid(
                at, value,
                fmt::format("should be less than {}{}",
                            node.exclusive_maximum ? "" : "or equal to ", shown(*node.maximum)));
        }
        if (node.multiple_of && std::fmod(number, *node.multiple_of) != 0) {
            invalid(at, value, fmt::format("should be a multiple of {}", shown(*node.multiple_of)));
        }
        check_format(node, value, at);
    }

    void check_format(const Node& node, const Value& value, const Place& at) {
        if (node.format.empty() || has_format(value, node.format)) return;
        if (node.format == "byte" && value.IsString()) {
            // A value of a Secret: a message does not repeat it, not even one that is no base64.
            add(at, "FieldValueInvalid",
                fmt::format("Invalid value: (not shown): {} in body must be base64", at.text()));
            return;
        }
        const std::string text = value.IsString() ? shown(value) : '"' + shown(value) + '"';
        invalid(at, value, fmt::format("must be of type {}: {}", node.format, text));
    }

    void check_array(const Node& node, const Value& value, const Place& at) {
        if (node.max_items && value.Size() > *node.max_items) {
            add(at, "FieldValueTooMany",
                fmt::format("Too many: {}: must have at most {} items", value.Size(),
                            *node.max_items));
            return;
        }
        if (node.min_items && value.Size() < *node.min_items) {
            add(at, "FieldValueInvalid",
                fmt::format("Invalid value: {}: {} in body should have at least {} items",
                            value.Size(), at.text(), *node.min_items));
        }
        if (node.items) {
            for (rapidjson::SizeType i = 0; i < value.Size(); ++i) {
                const Place inner{.outer = &at, .name = {}, .index = i, .is_index = true};
                node.type == Node::Type::any ? check(*node.items, value[i], inner)
                                             : check_typed(*node.items, value[i], inner);
            }
        }
        check_unique(node, value, at);
    }

    void check_unique(const Node& node, const Value& value, const Place& at) {
        if (node.list_type == Node::ListType::atomic) return;
        std::unordered_set<std::string> seen;
        for (rapidjson::SizeType i = 0; i < value.Size(); ++i) {
            std::string identity;
            if (node.list_type == Node::ListType::set) {
                identity = json::canonical(value[i]);
            } else {
                identity = identity_of(node, value[i]);
                if (identity.empty()) continue;
            }
            if (seen.insert(identity).second) continue;
            const Place inner{.outer = &at, .name = {}, .index = i, .is_index = true};
            add(inner, "FieldValueDuplicate", "Duplicate value: " + identity);
        }
    }

    // The key fields of an element of a list of type map; empty when one is missing.
    static std::string identity_of(const Node& node, const Value& element) {
        std::string out;
        for (const std::string& key : node.map_keys) {
            const Value* field = json::find(element, {key});
            if (!field) return {};
            out +=
                fmt::format("{}\"{}\":{}", out.empty() ? "{" : ",", key, json::canonical(*field));
        }
        return out + "}";
    }

    void check_object(const Node& node, const Value& value, const Place& at) {
        if (node.max_properties && value.MemberCount() > *node.max_properties) {
            add(at, "FieldValueTooMany",
                fmt::format("Too many: {}: must have at most {} items", value.MemberCount(),
                            *node.max_properties));
            return;
        }
        if (node.min_properties && value.MemberCount() < *node.min_properties) {
            add(at, "FieldValueInvalid",
                fmt::format("Invalid value: {}: {} in body should have at least {} properties",
                            value.MemberCount(), at.text(), *node.min_properties));
        }
        for (const auto& m : value.GetObject()) {
            const Node* known = node.property(view(m.name));
            const Node* inner_node = known ? known : node.additional.get();
            if (!inner_node) continue;
            const Place inner{.outer = &at, .name = view(m.name), .index = 0, .is_index = false};
            node.type == Node::Type::any ? check(*inner_node, m.value, inner)
                                         : check_typed(*inner_node, m.value, inner);
        }
        for (const std::string& name : node.required) {
            if (json::find(value, {name})) continue;
            add({.outer = &at, .name = name, .index = 0, .is_index = false}, "FieldValueRequired",
                "Required value");
        }
    }

    static bool conforms(const Node& node, const Value& value, const Place& at) {
        std::vector<Cause> causes;
        Validator inner(causes);
        inner.check_typed(node, value, at);
        return causes.empty();
    }

    void check_logic(const Node& node, const Value& value, const Place& at) {
        for (const auto& inner : node.all_of) check_typed(*inner, value, at);
        const auto count = [&](const Node::Nodes& nodes) {
            std::size_t n = 0;
            for (const auto& inner : nodes) n += conforms(*inner, value, at);
            return n;
        };
        const auto complain = [&](std::string_view what) {
            add(at, "FieldValueInvalid",
                fmt::format("Invalid value: {}: \"{}\" {}", shown(value), at.text(), what));
        };
        if (!node.any_of.empty() && count(node.any_of) == 0) {
            complain("must validate at least one schema (anyOf)");
        }
        if (!node.one_of.empty()) {
            const std::size_t n = count(node.one_of);
            if (n == 0) {
                complain("must validate one and only one schema (oneOf). Found none valid");
            } else if (n > 1) {
                complain(fmt::format(
                    "must validate one and only one schema (oneOf). Found {} valid alternatives",
                    n));
            }
        }
        if (node.negated && conforms(*node.negated, value, at)) {
            complain("must not validate the schema (not)");
        }
    }

    std::vector<Cause>& causes_;
};

}  // namespace

void validate_node(const Schema::Node& node, const Value& value, std::string_view path,
                   std::vector<Cause>& causes) {
    Validator(causes).check_typed(node, value,
                                  {.outer = nullptr, .name = path, .index = 0, .is_index = false});
}

void Schema::validate(const Value& object, std::vector<Cause>& causes) const {
    validate_node(*root_, object, "", causes);
}

}  // namespace atelier::crds
