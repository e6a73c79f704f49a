#include "crds/json_path.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace atelier::crds {
namespace {

constexpr std::string_view object = R"({
  "metadata":{"name":"a","labels":{"atelier.dev/org":"acme"}},
  "spec":{"replicas":3,"ports":[80,443]},
  "status":{"on":true,"nothing":null,"conditions":[
    {"type":"Stalled","status":"False"},
    {"type":"Ready","status":"True","generation":2}]}})";

std::string found(std::string_view path) {
    const auto document = json::parse(object);
    const auto compiled = JsonPath::compile(path);
    if (!compiled) return "error: " + compiled.error().message;
    std::vector<std::string> texts;
    for (const json::Value* value : compiled->find(*document)) texts.push_back(json::text(*value));
    return join(texts, " ");
}

TEST(JsonPath, Finds) {
    const std::pair<std::string_view, std::string_view> rows[] = {
        {".metadata.name", "\"a\""},
        {"{.metadata.name}", "\"a\""},
        {"metadata.name", "\"a\""},
        {"$.metadata.name", "\"a\""},
        {".metadata.labels['atelier.dev/org']", "\"acme\""},
        {".metadata.labels[\"atelier.dev/org\"]", "\"acme\""},
        {R"(.metadata.labels.atelier\.dev/org)", "\"acme\""},
        {".spec.ports[0]", "80"},
        {".spec.ports[-1]", "443"},
        {".spec.ports[2]", ""},
        {".spec.ports[-3]", ""},
        {".spec.ports[*]", "80 443"},
        {".metadata.labels.*", "\"acme\""},
        {R"(.status.conditions[?(@.type=="Ready")].status)", "\"True\""},
        {R"(.status.conditions[?(@.type == 'Ready')].status)", "\"True\""},
        {R"(.status.conditions[?(@.type!="Ready")].type)", "\"Stalled\""},
        {R"(.status.conditions[?(@.generation==2)].type)", "\"Ready\""},
        {R"(.status.conditions[?(@.generation)].type)", "\"Ready\""},
        {R"(.status.conditions[?(@.type=="Absent")].status)", ""},
        {".status.nothing", "null"},
        {".status.on", "true"},
        {".spec.absent.deeper", ""},
        {".metadata.name[0]", ""},
        {".metadata.name.x", ""},
    };
    for (const auto& [path, expected] : rows) EXPECT_EQ(found(path), expected) << path;
    EXPECT_TRUE(found(".").starts_with("{\"metadata\"")) << "a dot alone is the value itself";
}

TEST(JsonPath, RefusesWhatItDoesNotUnderstand) {
    for (const std::string_view path : {".a..b", ".a[", ".a['b", ".a[?(@.b==)]", ".a[?(b==1)]",
                                        ".a b", ".a[1:2]", ".a[]", ".a[?(@.b[?(@.c)])]", ".a."}) {
        EXPECT_TRUE(found(path).starts_with("error: JSONPath")) << path << " -> " << found(path);
    }
    EXPECT_FALSE(JsonPath::compile(std::string(2000, '.')));
}

}  // namespace
}  // namespace atelier::crds
