// A real kube-apiserver accepts the CRDs: they follow its rules for structural schemas
// (kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions,
// "Specifying a structural schema"; apiextensions-apiserver, pkg/apiserver/schema/validation.go).
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "crds/kind.h"
#include "crds/schema.h"
#include "crds/yaml.h"

namespace atelier::crds {
namespace {

using json::find;
using json::string_at;
using json::Value;
using json::view;

constexpr std::string_view forbidden[] = {"$ref",
                                          "$schema",
                                          "id",
                                          "definitions",
                                          "deprecated",
                                          "dependencies",
                                          "patternProperties",
                                          "additionalItems",
                                          "readOnly",
                                          "writeOnly",
                                          "xml",
                                          "discriminator"};
// Keywords that belong to the structure, so that a branch of a logical junctor may not have them.
constexpr std::string_view structural[] = {"type", "default", "nullable", "title", "description"};

bool is_on(const Value& node, std::string_view name) {
    const Value* const value = find(node, {name});
    return value && value->IsTrue();
}

// What kube-apiserver would refuse, a line each.
class Structure {
  public:
    std::vector<std::string> errors;

    void check_root(const Value& root) {
        if (string_at(root, {"type"}) != "object") add("", "the root must be an object");
        if (find(root, {"additionalProperties"})) add("", "additionalProperties at the root");
        if (is_on(root, "nullable")) add("", "the root must not be nullable");
        if (const Value* const metadata = find(root, {"properties", "metadata"})) {
            check_metadata(*metadata);
        }
        for (const char* name : {"apiVersion", "kind"}) {
            const Value* const node = find(root, {"properties", name});
            if (node && string_at(*node, {"type"}) != "string") add(name, "must be a string");
        }
        check(root, "");
    }

  private:
    void add(const std::string& path, const std::string& message) {
        errors.push_back((path.empty() ? "(root)" : path) + ": " + message);
    }

    void check_metadata(const Value& metadata) {
        for (const auto& member : metadata.GetObject()) {
            const std::string name(view(member.name));
            if (name == "type" && view(member.value) == "object") continue;
            if (name == "properties") {
                for (const auto& inner : member.value.GetObject()) {
                    const std::string field(view(inner.name));
                    if (field != "name" && field != "generateName") {
                        add("metadata", "must not restrict " + field);
                    }
                }
                continue;
            }
            add("metadata",
                "must not specify anything other than name and generateName, but has " + name);
        }
    }

    void check(const Value& node, const std::string& path) {
        for (const std::string_view name : forbidden) {
            if (find(node, {name})) add(path, "must not use " + std::string(name));
        }
        if (is_on(node, "uniqueItems")) add(path, "uniqueItems must not be true");
        check_type(node, path);
        check_list(node, path);
        check_default(node, path);
        if (const Value* const properties = find(node, {"properties"})) {
            if (find(node, {"additionalProperties"})) {
                add(path, "properties and additionalProperties exclude each other");
            }
            for (const auto& member : properties->GetObject()) {
                check(member.value, path + "." + std::string(view(member.name)));
            }
        }
        if (const Value* const more = find(node, {"additionalProperties"})) {
            more->IsObject() ? check(*more, path + "{}")
                             : add(path, "additionalProperties must be a schema");
        }
        if (const Value* const items = find(node, {"items"})) {
            items->IsObject() ? check(*items, path + "[]") : add(path, "items must be one schema");
        }
        check_junctors(node, node, path);
    }

    void check_type(const Value& node, const std::string& path) {
        const std::string type = string_at(node, {"type"});
        const bool free = is_on(node, "x-kubernetes-int-or-string") ||
                          is_on(node, "x-kubernetes-preserve-unknown-fields");
        if (type.empty() && !free) add(path, "needs a type");
        if (type == "array" && !find(node, {"items"})) add(path, "an array needs items");
        const Value* const keep = find(node, {"x-kubernetes-preserve-unknown-fields"});
        if (keep && !keep->IsTrue()) add(path, "preserve-unknown-fields must be true or absent");
    }

    void check_list(const Value& node, const std::string& path) {
        const std::string list = string_at(node, {"x-kubernetes-list-type"});
        if (list.empty()) return;
        if (string_at(node, {"type"}) != "array") add(path, "a list type on what is no list");
        const Value* const items = find(node, {"items"});
        const bool scalar = items && string_at(*items, {"type"}) != "object" &&
                            string_at(*items, {"type"}) != "array";
        if (list == "set" && !scalar) add(path, "a set of what is no scalar");
        if (list != "map") return;
        const Value* const keys = find(node, {"x-kubernetes-list-map-keys"});
        if (!keys || keys->Empty()) return add(path, "a map needs x-kubernetes-list-map-keys");
        for (const Value& key : keys->GetArray()) {
            const std::string name(view(key));
            const Value* const field = find(*items, {"properties", name});
            if (!field) {
                add(path, "the key " + name + " is no property of the items");
                continue;
            }
            const Value* const required = find(*items, {"required"});
            bool is_required = find(*field, {"default"}) != nullptr;
            for (rapidjson::SizeType i = 0; required && i < required->Size(); ++i) {
                is_required = is_required || view((*required)[i]) == name;
            }
            if (!is_required) add(path, "the key " + name + " needs to be required or a default");
        }
    }

    void check_default(const Value& node, const std::string& path) {
        const Value* const value = find(node, {"default"});
        if (!value) return;
        // As the property of an object, which a schema's root has to be.
        json::Document root(rapidjson::kObjectType);
        auto& allocator = root.GetAllocator();
        json::set(root, "type", "object", allocator);
        Value& properties = json::object_at(root, "properties", allocator);
        json::set(properties, "field", Value(node, allocator), allocator);
        const auto schema = Schema::compile(root);
        if (!schema) return add(path, "its default: " + schema.error().message);
        json::Document object(rapidjson::kObjectType);
        json::set(object, "field", Value(*value, object.GetAllocator()), object.GetAllocator());
        std::vector<Cause> causes;
        (*schema)->validate(object, causes);
        for (const Cause& cause : causes) add(path, "its default: " + cause.message);
    }

    // `of`: the structural node; every field that a junctor speaks of must be declared there.
    void check_junctors(const Value& node, const Value& of, const std::string& path) {
        for (const char* name : {"allOf", "anyOf", "oneOf"}) {
            const Value* const branches = find(node, {name});
            for (rapidjson::SizeType i = 0; branches && i < branches->Size(); ++i) {
                check_branch((*branches)[i], of, path + "/" + name + "[" + std::to_string(i) + "]");
            }
        }
        if (const Value* const negated = find(node, {"not"})) {
            check_branch(*negated, of, path + "/not");
        }
    }

    void check_branch(const Value& branch, const Value& of, const std::string& path) {
        for (const auto& member : branch.GetObject()) {
            const std::string_view name = view(member.name);
            const bool structure = std::find(std::begin(structural), std::end(structural), name) !=
                                   std::end(structural);
            if (structure || name.starts_with("x-kubernetes-")) {
                add(path, "must not have " + std::string(name));
            }
        }
        if (const Value* const properties = find(branch, {"properties"})) {
            for (const auto& member : properties->GetObject()) {
                const Value* const declared = find(of, {"properties", view(member.name)});
                const std::string inner = path + "." + std::string(view(member.name));
                declared ? check_branch(member.value, *declared, inner)
                         : add(inner, "is not declared in the structure");
            }
        }
        const Value* const items = find(branch, {"items"});
        const Value* const declared = find(of, {"items"});
        if (items) {
            declared ? check_branch(*items, *declared, path + "[]")
                     : add(path + "[]", "is not declared in the structure");
        }
        check_junctors(branch, of, path);
    }
};

std::vector<std::string> errors_of(const Value& schema) {
    Structure structure;
    structure.check_root(schema);
    return structure.errors;
}

TEST(StructuralSchema, Fault27_EveryDefinitionIsOneThatARealApiServerAccepts) {
    ASSERT_EQ(embedded_crds().size(), 9u);
    for (const json::Document& crd : embedded_crds()) {
        const std::string plural = string_at(crd, {"spec", "names", "plural"});
        EXPECT_EQ(string_at(crd, {"metadata", "name"}),
                  plural + "." + string_at(crd, {"spec", "group"}));
        const Value& versions = *find(crd, {"spec", "versions"});
        int stored = 0;
        for (const Value& version : versions.GetArray()) {
            stored += is_on(version, "storage") ? 1 : 0;
            for (const std::string& error :
                 errors_of(*find(version, {"schema", "openAPIV3Schema"}))) {
                ADD_FAILURE() << plural << ": " << error;
            }
            for (const Value& column : find(version, {"additionalPrinterColumns"})->GetArray()) {
                EXPECT_TRUE(string_at(column, {"jsonPath"}).starts_with('.')) << plural;
            }
        }
        EXPECT_EQ(stored, 1) << plural << ": exactly one version is stored";
    }
}

TEST(StructuralSchema, Fault27_TheRulesFindWhatARealApiServerRefuses) {
    const std::pair<std::string_view, std::string_view> rows[] = {
        {"{type: object, properties: {metadata: {type: object, description: x}}}",
         "metadata: must not specify anything other than name and generateName, but has "
         "description"},
        {"{type: object, properties: {a: {}}}", ".a: needs a type"},
        {"{type: object, properties: {a: {type: array}}}", ".a: an array needs items"},
        {"{type: object, properties: {a: {type: string, default: 1}}}", ".a: its default: "},
        {"{type: object, properties: {a: {type: array, x-kubernetes-list-type: map, "
         "x-kubernetes-list-map-keys: [k], items: {type: object, properties: {k: {type: "
         "string}}}}}}",
         ".a: the key k needs to be required"},
        {"{type: object, anyOf: [{properties: {b: {}}}]}", "/anyOf[0].b: is not declared"},
        {"{type: object, anyOf: [{description: x}]}", "/anyOf[0]: must not have description"},
        {"{type: object, properties: {a: {type: object, additionalProperties: false}}}",
         ".a: additionalProperties must be a schema"},
        {"{type: string}", "(root): the root must be an object"},
    };
    for (const auto& [text, error] : rows) {
        const auto parsed = parse_yaml(text, "schema");
        ASSERT_TRUE(parsed) << text;
        const auto errors = errors_of(parsed->front().value);
        ASSERT_EQ(errors.size(), 1u) << text;
        EXPECT_EQ(errors[0].substr(0, error.size()), error) << text;
    }
}

// `kubectl delete all --all` tidies a namespace: it must not reach what is shared, what protects,
// or what keeps volumes.
TEST(Kinds, Fault27_TheCategoryAllHoldsKindsOfDailyUse) {
    std::set<std::string> daily;
    for (const json::Document& crd : embedded_crds()) {
        const Value* const categories = find(crd, {"spec", "names", "categories"});
        for (rapidjson::SizeType i = 0; categories && i < categories->Size(); ++i) {
            if (view((*categories)[i]) != "all") continue;
            daily.insert(string_at(crd, {"spec", "names", "plural"}));
            EXPECT_EQ(string_at(crd, {"spec", "scope"}), "Namespaced");
        }
    }
    EXPECT_EQ(daily, (std::set<std::string>{"orgs", "orgtemplates", "workspaces", "plugins",
                                            "plugininstalls", "pluginupdates"}));
}

}  // namespace
}  // namespace atelier::crds
