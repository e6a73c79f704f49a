#include "crds/schema.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "base/text.h"
#include "crds/yaml.h"

namespace atelier::crds {
namespace {

json::Document yaml(std::string_view text) {
    auto documents = parse_yaml(text, "test");
    EXPECT_TRUE(documents) << documents.error().message;
    return documents->empty() ? json::Document() : std::move(documents->front().value);
}

std::shared_ptr<const Schema> compile(std::string_view text) {
    const auto schema = Schema::compile(yaml(text));
    EXPECT_TRUE(schema) << schema.error().message;
    return *schema;
}

// A schema with one field "a" of this description.
std::shared_ptr<const Schema> field(std::string_view description) {
    return compile("type: object\nproperties:\n  a: " + std::string(description));
}

// "field reason message" of each cause.
std::vector<std::string> causes(const Schema& schema, std::string_view object) {
    std::vector<Cause> found;
    schema.validate(yaml(object), found);
    std::vector<std::string> out;
    for (const Cause& cause : found) {
        out.push_back(cause.field + " | " + cause.reason + " | " + cause.message);
    }
    return out;
}

TEST(SchemaValidate, SpeaksAsKubernetesDoes) {
    const std::tuple<std::string_view, std::string_view, std::string_view> rows[] = {
        {"{type: integer}", "{a: x}",
         "a | FieldValueTypeInvalid | Invalid value: \"string\": a in body must be of type "
         "integer: "
         "\"string\""},
        {"{type: integer}", "{a: 1.5}",
         "a | FieldValueTypeInvalid | Invalid value: \"number\": a in body must be of type "
         "integer: "
         "\"number\""},
        {"{type: string}", "{a: null}",
         "a | FieldValueTypeInvalid | Invalid value: \"null\": a in body must be of type string: "
         "\"null\""},
        {"{type: boolean}", "{a: 'true'}",
         "a | FieldValueTypeInvalid | Invalid value: \"string\": a in body must be of type "
         "boolean: "
         "\"string\""},
        {"{type: array, items: {type: string}}", "{a: [x, 1]}",
         "a[1] | FieldValueTypeInvalid | Invalid value: \"integer\": a[1] in body must be of type "
         "string: \"integer\""},
        {"{type: object, additionalProperties: {type: string}}", "{a: {k: 1}}",
         "a.k | FieldValueTypeInvalid | Invalid value: \"integer\": a.k in body must be of type "
         "string: \"integer\""},
        {"{type: object, required: [b], properties: {b: {type: string}}}", "{a: {}}",
         "a.b | FieldValueRequired | Required value"},
        {"{type: string, enum: [x, y]}", "{a: z}",
         "a | FieldValueNotSupported | Unsupported value: \"z\": supported values: \"x\", \"y\""},
        {"{type: string, pattern: '^[a-z]+$'}", "{a: A1}",
         "a | FieldValueInvalid | Invalid value: \"A1\": a in body should match '^[a-z]+$'"},
        {"{type: string, minLength: 2}", "{a: é}",
         "a | FieldValueInvalid | Invalid value: \"é\": a in body should be at least 2 chars long"},
        {"{type: string, maxLength: 2}", "{a: ééé}",
         "a | FieldValueTooLong | Too long: may not be longer than 2"},
        {"{type: integer, minimum: 1}", "{a: 0}",
         "a | FieldValueInvalid | Invalid value: 0: a in body should be greater than or equal to "
         "1"},
        {"{type: number, minimum: 1, exclusiveMinimum: true}", "{a: 1}",
         "a | FieldValueInvalid | Invalid value: 1: a in body should be greater than 1"},
        {"{type: integer, maximum: 4}", "{a: 5}",
         "a | FieldValueInvalid | Invalid value: 5: a in body should be less than or equal to 4"},
        {"{type: number, maximum: 1.5, exclusiveMaximum: true}", "{a: 1.5}",
         "a | FieldValueInvalid | Invalid value: 1.5: a in body should be less than 1.5"},
        {"{type: integer, multipleOf: 5}", "{a: 7}",
         "a | FieldValueInvalid | Invalid value: 7: a in body should be a multiple of 5"},
        {"{type: integer, format: int32}", "{a: 3000000000}",
         "a | FieldValueInvalid | Invalid value: 3000000000: a in body must be of type int32: "
         "\"3000000000\""},
        {"{type: integer, format: int64}", "{a: 18446744073709551615}",
         "a | FieldValueInvalid | Invalid value: 18446744073709551615: a in body must be of type "
         "int64: \"18446744073709551615\""},
        {"{type: string, format: date-time}", "{a: yesterday}",
         "a | FieldValueInvalid | Invalid value: \"yesterday\": a in body must be of type "
         "date-time: "
         "\"yesterday\""},
        {"{type: string, format: duration}", "{a: soon}",
         "a | FieldValueInvalid | Invalid value: \"soon\": a in body must be of type duration: "
         "\"soon\""},
        {"{type: array, maxItems: 1, items: {type: integer}}", "{a: [1, 2]}",
         "a | FieldValueTooMany | Too many: 2: must have at most 1 items"},
        {"{type: array, minItems: 1, items: {type: integer}}", "{a: []}",
         "a | FieldValueInvalid | Invalid value: 0: a in body should have at least 1 items"},
        {"{type: object, maxProperties: 1, additionalProperties: {type: integer}}",
         "{a: {b: 1, c: 2}}", "a | FieldValueTooMany | Too many: 2: must have at most 1 items"},
        {"{type: object, minProperties: 1, additionalProperties: {type: integer}}", "{a: {}}",
         "a | FieldValueInvalid | Invalid value: 0: a in body should have at least 1 properties"},
        {"{type: array, x-kubernetes-list-type: set, items: {type: string}}", "{a: [x, y, x]}",
         "a[2] | FieldValueDuplicate | Duplicate value: \"x\""},
        {"{type: array, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [k], items: "
         "{type: "
         "object, required: [k], properties: {k: {type: string}, v: {type: integer}}}}",
         "{a: [{k: x, v: 1}, {k: x, v: 2}]}",
         "a[1] | FieldValueDuplicate | Duplicate value: {\"k\":\"x\"}"},
        {"{x-kubernetes-int-or-string: true}", "{a: true}",
         "a | FieldValueTypeInvalid | Invalid value: \"boolean\": a in body must be of type "
         "integer or "
         "string: \"boolean\""},
        {"{type: object, properties: {b: {type: string}, c: {type: string}}, oneOf: [{required: "
         "[b]}, "
         "{required: [c]}]}",
         "{a: {b: x, c: x}}",
         "a | FieldValueInvalid | Invalid value: {\"b\":\"x\",\"c\":\"x\"}: \"a\" must validate "
         "one and "
         "only one schema (oneOf). Found 2 valid alternatives"},
        {"{type: object, properties: {b: {type: string}}, oneOf: [{required: [b]}]}", "{a: {}}",
         "a | FieldValueInvalid | Invalid value: {}: \"a\" must validate one and only one schema "
         "(oneOf). Found none valid"},
        {"{type: integer, anyOf: [{maximum: 1}, {minimum: 9}]}", "{a: 5}",
         "a | FieldValueInvalid | Invalid value: 5: \"a\" must validate at least one schema "
         "(anyOf)"},
        {"{type: integer, not: {minimum: 9}}", "{a: 10}",
         "a | FieldValueInvalid | Invalid value: 10: \"a\" must not validate the schema (not)"},
        {"{type: integer, allOf: [{maximum: 1}]}", "{a: 5}",
         "a | FieldValueInvalid | Invalid value: 5: a in body should be less than or equal to 1"},
    };
    for (const auto& [description, object, expected] : rows) {
        const auto found = causes(*field(description), object);
        ASSERT_EQ(found.size(), 1u) << description << " " << object << "\n" << join(found, "\n");
        EXPECT_EQ(found[0], expected);
    }
}

TEST(SchemaValidate, Accepts) {
    const std::pair<std::string_view, std::string_view> rows[] = {
        {"{type: integer}", "{a: 18446744073709551615}"},
        {"{type: number}", "{a: 1}"},
        {"{type: string, nullable: true}", "{a: null}"},
        {"{type: string, maxLength: 2}", "{a: éé}"},
        {"{type: string, format: date-time}", "{a: '2026-01-31T12:00:00.123+02:00'}"},
        {"{type: string, format: duration}", "{a: 1h30m}"},
        {"{type: string, format: date}", "{a: '2026-01-31'}"},
        {"{type: string, format: uri}", "{a: 'https://a/b?c'}"},
        {"{type: string, format: uuid}", "{a: 123e4567-e89b-42d3-a456-426614174000}"},
        {"{type: string, format: byte}", "{a: aGk=}"},
        {"{type: string, format: unheard-of}", "{a: x}"},
        {"{type: string, pattern: b}", "{a: abc}"},
        {"{x-kubernetes-int-or-string: true}", "{a: 1}"},
        {"{x-kubernetes-int-or-string: true, anyOf: [{type: integer}, {type: string}]}", "{a: x}"},
        {"{type: object, x-kubernetes-preserve-unknown-fields: true}", "{a: {b: [1]}}"},
        {"{x-kubernetes-preserve-unknown-fields: true}", "{a: [1, {b: 2}]}"},
        {"{type: integer, anyOf: [{maximum: 1}, {minimum: 9}]}", "{a: 9}"},
        {"{type: integer}", "{}"},
    };
    for (const auto& [description, object] : rows) {
        EXPECT_EQ(causes(*field(description), object), std::vector<std::string>())
            << description << " " << object;
    }
}

TEST(SchemaValidate, StopsAtFiftyAndShortensValues) {
    const auto list = field("{type: array, items: {type: string, maxLength: 3, pattern: '^x'}}");
    std::string object = "{a: [";
    for (int i = 0; i < 200; ++i) object += "1,";
    const auto many = causes(*list, object + "]}");
    ASSERT_EQ(many.size(), 51u);
    EXPECT_EQ(many.back(), " | FieldValueInvalid | and more");

    const auto text = field("{type: string, pattern: '^x'}");
    const auto found = causes(*text, "{a: " + std::string(3000, 'y') + "}");
    ASSERT_EQ(found.size(), 1u);
    EXPECT_LT(found[0].size(), 400u);
    EXPECT_EQ(
        causes(*text, "{a: x" + std::string(5000, 'y') + "}"),
        std::vector<std::string>{"a | FieldValueTooLong | Too long: may not be longer than 4096"});
}

TEST(SchemaValidate, PatternsNeitherBacktrackNorRecurse) {
    const auto evil = field("{type: string, pattern: '^(a+)+$'}");
    EXPECT_EQ(causes(*evil, "{a: " + std::string(4000, 'a') + "b}").size(), 1u);
}

TEST(SchemaCompile, RefusesWhatIsNotStructural) {
    const std::pair<std::string_view, std::string_view> rows[] = {
        {"{}", "schema root: no type"},
        {"{type: string}", "schema root: the type must be object"},
        {"{type: object, properties: {a: {}}}", "schema a: no type"},
        {"{type: object, properties: {a: {type: text}}}", "schema a: type must be"},
        {"{type: object, properties: {a: {type: array}}}", "schema a: an array without items"},
        {"{type: object, properties: {a: {type: array, items: [{type: string}]}}}",
         "schema a[]: must be an object"},
        {"{type: object, properties: {a: {type: object, properties: {b: {type: string}}, "
         "additionalProperties: {type: string}}}}",
         "both properties and additionalProperties"},
        {"{type: object, properties: {a: {type: object, additionalProperties: false}}}",
         "additionalProperties may not be false"},
        {"{type: object, properties: {a: {type: string, pattern: '['}}}",
         "schema a: the pattern cannot be read"},
        {"{type: object, properties: {a: {type: integer, default: x}}}",
         "schema a: the default is not valid"},
        {"{type: object, properties: {a: {type: integer, minimum: x}}}",
         "minimum must be a number"},
        {"{type: object, properties: {a: {type: string, maxLength: -1}}}",
         "maxLength must be a count"},
        {"{type: object, properties: {a: {type: string, nullable: 1}}}",
         "nullable must be a boolean"},
        {"{type: object, properties: {a: {type: string, enum: []}}}", "enum must be a filled list"},
        {"{type: object, required: x}", "required must be a list of strings"},
        {"{type: object, $ref: x}", "the keyword \"$ref\" is not served"},
        {"{type: object, x-kubernetes-validations: []}",
         "the keyword \"x-kubernetes-validations\" is not served"},
        {"{type: object, anyOf: [{type: object}]}", "\"type\" may not stand inside logic"},
        {"{type: object, anyOf: [{properties: {b: {minimum: 1}}}]}",
         "\"b\" is named inside logic only"},
        {"{type: object, properties: {a: {type: array, x-kubernetes-list-type: map, items: {type: "
         "object}}}}",
         "a list of type map without keys"},
        {"{type: object, properties: {a: {type: array, x-kubernetes-list-type: map, "
         "x-kubernetes-list-map-keys: [k], items: {type: object, properties: {k: {type: "
         "string}}}}}}",
         "neither required nor has a default"},
        {"{type: object, properties: {a: {type: array, x-kubernetes-list-type: bag, items: {type: "
         "string}}}}",
         "x-kubernetes-list-type must be"},
    };
    for (const auto& [schema, message] : rows) {
        const auto compiled = Schema::compile(yaml(schema));
        ASSERT_FALSE(compiled) << schema;
        EXPECT_NE(compiled.error().message.find(message), std::string::npos)
            << compiled.error().message << "\nshould say: " << message;
    }
}

TEST(SchemaPrune, RemovesAndNamesWhatIsUnknown) {
    const auto schema = compile(R"(
type: object
properties:
  spec:
    type: object
    properties:
      known: {type: string}
      list: {type: array, items: {type: object, properties: {x: {type: integer}}}}
      map: {type: object, additionalProperties: {type: object, properties: {x: {type: integer}}}}
      free: {type: object, x-kubernetes-preserve-unknown-fields: true, properties: {strict: {type: object}}}
      any: {type: object, additionalProperties: true}
      inner: {type: object, x-kubernetes-embedded-resource: true, properties: {spec: {type: object}}}
)");
    json::Document object = yaml(R"(
apiVersion: v1
kind: X
metadata: {anything: 1}
odd: 1
spec:
  known: a
  odd: 1
  list: [{x: 1, odd: 2}]
  map: {k: {x: 1, odd: 2}}
  free: {odd: {deep: 1}, strict: {odd: 1}}
  any: {odd: {deep: 1}}
  inner: {apiVersion: v1, kind: Y, metadata: {name: a}, odd: 1}
)");
    std::vector<std::string> removed;
    schema->prune(object, removed);
    EXPECT_EQ(removed,
              (std::vector<std::string>{"odd", "spec.odd", "spec.list[0].odd", "spec.map.k.odd",
                                        "spec.free.strict.odd", "spec.inner.odd"}));
    EXPECT_EQ(json::text(object["spec"]["free"]), R"({"odd":{"deep":1},"strict":{}})");
    EXPECT_EQ(json::text(object["metadata"]), R"({"anything":1})");
    std::vector<std::string> again;
    schema->prune(object, again);
    EXPECT_TRUE(again.empty());
}

TEST(SchemaDefault, FillsWhatIsAbsent) {
    const auto schema = compile(R"(
type: object
properties:
  spec:
    type: object
    default: {}
    properties:
      text: {type: string, default: x}
      maybe: {type: string, nullable: true, default: y}
      plain: {type: string}
      count: {type: integer}
      inner: {type: object, default: {}, properties: {flag: {type: boolean, default: true}}}
      outer: {type: object, properties: {flag: {type: boolean, default: true}}}
      list: {type: array, items: {type: object, properties: {n: {type: integer, default: 1}}}}
      map: {type: object, additionalProperties: {type: object, properties: {n: {type: integer, default: 1}}}}
)");
    const std::pair<std::string_view, std::string_view> rows[] = {
        {"{}", R"({"spec":{"inner":{"flag":true},"maybe":"y","text":"x"}})"},
        {"{spec: null}", R"({"spec":{"inner":{"flag":true},"maybe":"y","text":"x"}})"},
        {"{spec: {text: z, maybe: null, plain: null, outer: {}, inner: {flag: false}}}",
         R"({"spec":{"inner":{"flag":false},"maybe":null,"outer":{"flag":true},"text":"z"}})"},
        {"{spec: {count: 3.0, list: [{}, {n: 2}], map: {k: {}}}}",
         R"({"spec":{"count":3,"inner":{"flag":true},"list":[{"n":1},{"n":2}],"map":{"k":{"n":1}},"maybe":"y","text":"x"}})"},
    };
    for (const auto& [before, after] : rows) {
        json::Document object = yaml(before);
        schema->apply_defaults(object, object.GetAllocator());
        EXPECT_EQ(json::canonical(object), after);
        schema->apply_defaults(object, object.GetAllocator());
        EXPECT_EQ(json::canonical(object), after) << "twice is once";
    }
}

}  // namespace
}  // namespace atelier::crds
