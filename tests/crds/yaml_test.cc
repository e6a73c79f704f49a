#include "crds/yaml.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace atelier::crds {
namespace {

// The first document as compact JSON, or "error: …".
std::string json_of(std::string_view yaml, const YamlOptions& options = {}) {
    const auto documents = parse_yaml_tagged(yaml, "f.yaml", options);
    if (!documents) return "error: " + documents.error().message;
    return documents->empty() ? "nothing" : json::text(documents->front().value);
}

TEST(Yaml, TypesPlainScalarsByTheCoreSchema) {
    const std::pair<std::string_view, std::string_view> rows[] = {
        {"a: null", R"({"a":null})"},
        {"a: ~", R"({"a":null})"},
        {"a:", R"({"a":null})"},
        {"a: true", R"({"a":true})"},
        {"a: FALSE", R"({"a":false})"},
        {"a: yes", R"({"a":"yes"})"},
        {"a: on", R"({"a":"on"})"},
        {"a: y", R"({"a":"y"})"},
        {"a: 12", R"({"a":12})"},
        {"a: -12", R"({"a":-12})"},
        {"a: +12", R"({"a":12})"},
        {"a: 017", R"({"a":17})"},
        {"a: 0o17", R"({"a":15})"},
        {"a: 0x1F", R"({"a":31})"},
        {"a: 1_000", R"({"a":"1_000"})"},
        {"a: 9223372036854775807", R"({"a":9223372036854775807})"},
        {"a: 18446744073709551615", R"({"a":18446744073709551615})"},
        {"a: -9223372036854775808", R"({"a":-9223372036854775808})"},
        {"a: 1.5", R"({"a":1.5})"},
        {"a: 1e3", R"({"a":1000.0})"},
        {"a: .5", R"({"a":0.5})"},
        {"a: 5.", R"({"a":5.0})"},
        {"a: 1.2.3", R"({"a":"1.2.3"})"},
        {"a: 2026-01-31", R"({"a":"2026-01-31"})"},
        {"a: 1:30", R"({"a":"1:30"})"},
        {"a: \"12\"", R"({"a":"12"})"},
        {"a: '12'", R"({"a":"12"})"},
        {"a: '~'", R"({"a":"~"})"},
        {"a: ''", R"({"a":""})"},
        {"a: !!str 12", R"({"a":"12"})"},
        {"a: !!int \"12\"", R"({"a":12})"},
        {"a: !!float 12", R"({"a":12.0})"},
        {"a: ! 12", R"({"a":"12"})"},
        {"a: |\n  x\n  y\n", R"({"a":"x\ny\n"})"},
        {"a: >-\n  x\n  y\n", R"({"a":"x y"})"},
        {"1: a\ntrue: b", R"({"1":"a","true":"b"})"},
        {"{\"a\": [1, {\"b\": null}], \"c\": \"\\u00e9\\/\"}", R"({"a":[1,{"b":null}],"c":"é/"})"},
        {"- 1\n-\n- {}\n- []", R"([1,null,{},[]])"},
        {"just text", R"("just text")"},
        {"\xef\xbb\xbf"
         "a: 1",
         R"({"a":1})"},
        {"a: 1\r\nb: 2\r\n", R"({"a":1,"b":2})"},
        {"", "nothing"},
        {"# only a comment\n", "nothing"},
        {"---\n---\na: 1", R"({"a":1})"},
        {"%YAML 1.2\n---\na: 1\n...\n", R"({"a":1})"},
        {"a: 1\n...\n# more\n\nb: 1\n", R"({"a":1})"},
    };
    for (const auto& [yaml, expected] : rows) EXPECT_EQ(json_of(yaml), expected) << yaml;
}

TEST(Yaml, AnchorsAliasesAndMerges) {
    const std::pair<std::string_view, std::string_view> rows[] = {
        {"a: &x [1, 2]\nb: *x", R"({"a":[1,2],"b":[1,2]})"},
        {"a: &x text\nb: {*x : 1}", R"({"a":"text","b":{"text":1}})"},
        {"&k key: 1\nb: *k", R"({"key":1,"b":"key"})"},
        {"a: &n\nb: *n", R"({"a":null,"b":null})"},
        {"a: &x {p: 1, q: 2}\nb:\n  q: 3\n  <<: *x", R"({"a":{"p":1,"q":2},"b":{"q":3,"p":1}})"},
        {"b:\n  <<: [{p: 1}, {p: 2, q: 3}]", R"({"b":{"p":1,"q":3}})"},
        {"'<<': 1", R"({"<<":1})"},
    };
    for (const auto& [yaml, expected] : rows) EXPECT_EQ(json_of(yaml), expected) << yaml;
}

TEST(Yaml, RefusesAndSaysWhere) {
    const std::pair<std::string, std::string_view> rows[] = {
        {"a: 1\nb: 2\na: 3", "f.yaml:3:1: duplicate key \"a\": it stands in line 1 already"},
        {"a:\n  b: 1\n  \"b\": 2", "f.yaml:3:3: duplicate key \"b\": it stands in line 2 already"},
        {"{a: 1, a: 2}", "f.yaml:1:8: duplicate key \"a\": it stands in line 1 already"},
        {"a: &x [*x]", "f.yaml:1:8: an alias stands inside its own anchor"},
        {"a: *x", "f.yaml:1:4: an alias without its anchor"},
        {"a: !include b.yaml", "f.yaml:1:4: the tag \"!include\" is not known here"},
        {"a: !!binary aGk=", "f.yaml:1:4: the tag \"tag:yaml.org,2002:binary\" is not known here"},
        {"a: !!int x", "f.yaml:1:4: \"x\" is not a value of the tag !!int"},
        {"a: !!set {x}", "f.yaml:1:4: the tag \"tag:yaml.org,2002:set\" is not known here"},
        {"a: .inf", "f.yaml:1:4: .inf has no form in JSON; put it in quotes to keep the text"},
        {"a: 18446744073709551616",
         "f.yaml:1:4: 18446744073709551616 is too large for a number; put it in quotes to keep the "
         "text"},
        {"a: 1e999",
         "f.yaml:1:4: 1e999 is too large for a number; put it in quotes to keep the text"},
        {"? [1]\n: 2", "f.yaml:1:3: a key must be text, not a list or a mapping"},
        {"~: 2", "f.yaml:1:1: a key is missing, or is null; write it in quotes"},
        {"<<: 1", "f.yaml:1:1: the merge key << wants a mapping or a list of mappings"},
        {"a:\n\tb: 1", "f.yaml:2:3: a tab in the indentation of line 2; YAML wants spaces"},
        {"a: [1, 2", "f.yaml:1:1: a [ without its ]"},
        {"a: {b: 1", "f.yaml:1:1: a { without its }"},
        {"a: b: c",
         "f.yaml:1:5: a mapping may not begin here; put text that holds \": \" in quotes"},
        {"a: \"open", "f.yaml:1:9: text without its closing quote"},
        {"a: %x", "f.yaml:1:4: a character that may not stand here; put the text in quotes"},
        {"a: 1\n b: 2",
         "f.yaml:2:3: a mapping may not begin here; put text that holds \": \" in "
         "quotes"},
        {std::string("a: \0b", 5), "f.yaml:1:4: the control character 0x00"},
        {"a: 1\nb: \x07", "f.yaml:2:4: the control character 0x07"},
        {"a: \xff\xfe", "f.yaml:1:4: not UTF-8"},
        {"a: ä\nb: ö\xff", "f.yaml:2:6: not UTF-8"},
        {"a: \xed\xa0\x80", "f.yaml:1:4: not UTF-8"},
        {"'a' b", "f.yaml:1:5: something after the end of the document; put --- between documents"},
        {"x: 1\ny: [1,\n  2\nz: 3\n", "f.yaml:4:2: a [ without its ]"},
        {"{a: 1} junk",
         "f.yaml:1:8: something after the end of the document; put --- between documents"},
        {"a: 1\n---\nb: 1\nb: 2", "f.yaml:4:1: duplicate key \"b\": it stands in line 3 already"},
    };
    for (const auto& [yaml, expected] : rows) {
        EXPECT_EQ(json_of(yaml), "error: " + std::string(expected)) << yaml;
    }
}

TEST(Yaml, JsonKeepsItsOwnEscapes) {
    EXPECT_EQ(json_of(R"({"a":"\ud83d\ude00"})"), "{\"a\":\"\xf0\x9f\x98\x80\"}");
    EXPECT_TRUE(json_of(R"({"a":1,"a":2})").starts_with("error: f.yaml:1:8: duplicate key"));
}

TEST(Yaml, LocalTagsAreKeptWhenAsked) {
    const YamlOptions keep{.limits = {}, .keep_tags = true};
    EXPECT_EQ(json_of("a: !include b.yaml", keep), R"({"a":{"!include":"b.yaml"}})");
    EXPECT_EQ(json_of("- !include 12", keep), R"([{"!include":"12"}])");
    EXPECT_EQ(json_of("a: !external\n  url: x\n  n: 1", keep),
              R"({"a":{"!external":{"url":"x","n":1}}})");
    EXPECT_EQ(json_of("a: !list [1]", keep), R"({"a":{"!list":[1]}})");
    EXPECT_EQ(json_of("a: 'x'", keep), R"({"a":"x"})");
    EXPECT_TRUE(json_of("a: !!binary x", keep).starts_with("error"));
    const auto documents = parse_yaml_tagged("a: !external\n  url: x\n", "f", keep);
    ASSERT_TRUE(documents);
    EXPECT_EQ(documents->front().position_of("/a/!external/url").line, 2);
}

TEST(Yaml, KeepsPositions) {
    const auto documents =
        parse_yaml("a: 1\nb:\n  - x\n  - c/d: &t {e: 2}\nf: *t\n---\ng: 3\n", "f.yaml");
    ASSERT_TRUE(documents);
    ASSERT_EQ(documents->size(), 2u);
    const YamlDocument& first = documents->front();
    const std::tuple<std::string_view, int, int> rows[] = {
        {"", 1, 1},   {"/a", 1, 4},   {"/b/0", 3, 5},      {"/b/1/c~1d/e", 4, 17},
        {"/f", 5, 4}, {"/f/e", 5, 4}, {"/absent/x", 1, 1},
    };
    for (const auto& [pointer, line, column] : rows) {
        EXPECT_EQ(first.position_of(pointer).line, line) << pointer;
        EXPECT_EQ(first.position_of(pointer).column, column) << pointer;
    }
    EXPECT_EQ((*documents)[1].position_of("/g").line, 7);
}

TEST(Yaml, HostileDocumentsStopAtTheLimits) {
    std::string bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n";
    for (int i = 1; i < 12; ++i) {
        bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
        for (int k = 0; k < 9; ++k) bomb += "*a" + std::to_string(i - 1) + (k < 8 ? "," : "]\n");
    }
    EXPECT_NE(json_of(bomb).find("more than 200000 values"), std::string::npos);

    std::string text_bomb = "a: &a " + std::string(1 << 20, 'x') + "\nb: [";
    for (int k = 0; k < 100; ++k) text_bomb += "*a,";
    EXPECT_NE(json_of(text_bomb + "]").find("too much text"), std::string::npos);

    for (const char* open : {"[", "{a: ", "- ", "? "}) {
        std::string deep;
        for (int i = 0; i < 100'000; ++i) deep += open;
        EXPECT_TRUE(json_of(deep).starts_with("error: f.yaml")) << open;
    }
    EXPECT_NE(
        json_of(std::string(61, '[') + std::string(61, ']')).find("nested deeper than 60 levels"),
        std::string::npos);

    EXPECT_NE(json_of(std::string(4u << 20, ' ')).find("at most 3145728 are read"),
              std::string::npos);
    std::string many;
    for (int i = 0; i < 10'001; ++i) many += "---\na: 1\n";
    EXPECT_NE(json_of(many).find("more than 10000 documents"), std::string::npos);
    EXPECT_NE(json_of("? " + std::string(2000, 'k') + "\n: 1").find("a key of 2000 bytes"),
              std::string::npos);

    // Long pointers times many values would fill the memory with positions.
    std::string wide;
    for (int i = 0; i < 50; ++i) wide += "{" + std::string(1000, 'k') + ": ";
    wide += "[";
    for (int i = 0; i < 100'000; ++i) wide += "1,";
    wide += "]" + std::string(50, '}');
    const auto documents = parse_yaml(wide, "f.yaml");
    ASSERT_TRUE(documents) << documents.error().message;
    EXPECT_LT(documents->front().positions.size(), 2000u);
}

TEST(Yaml, AnyBytesGiveADocumentOrAnError) {
    SeededRandom random(7);
    constexpr std::string_view letters = "ab:-?[]{},&*!|>'\"%@` \n\n  \t#~<01.\\x\xc3\xa9";
    for (int i = 0; i < 20'000; ++i) {
        std::string text;
        const std::size_t length = random.next() % 40;
        while (text.size() < length) text += letters[random.next() % letters.size()];
        const auto documents = parse_yaml(text, "f.yaml");
        if (!documents) {
            EXPECT_TRUE(documents.error().message.starts_with("f.yaml")) << text;
        }
    }
}

TEST(ToYaml, WritesWhatPeopleExpect) {
    const auto document = json::parse(R"({
      "apiVersion":"v1","empty":{},"none":[],"text":"plain words","number":3,"float":1.0,
      "quoted":["yes","12","null","","- x","a: b","x #y","~","2026-01-31","0x1f","it's","<<","-"],
      "lines":"one\n  two\n","no_end":"a\nb","two_ends":"a\n\n","tabs":"a\tb","cr":"a\r\nb",
      "nested":[[1,2],[{"a":1,"b":[3]}]],"nothing":null,"yes":true,
      "cron":"*/5 * * * *","url":"https://x/y#z","unicode":"é\u2028"})");
    EXPECT_EQ(to_yaml(*document), R"(apiVersion: v1
empty: {}
none: []
text: plain words
number: 3
float: 1.0
quoted:
- 'yes'
- '12'
- 'null'
- ''
- '- x'
- 'a: b'
- 'x #y'
- '~'
- '2026-01-31'
- '0x1f'
- it's
- '<<'
- '-'
lines: |
  one
    two
no_end: |-
  a
  b
two_ends: |+
  a

tabs: "a\tb"
cr: "a\r\nb"
nested:
- - 1
  - 2
- - a: 1
    b:
    - 3
nothing: null
'yes': true
cron: '*/5 * * * *'
url: https://x/y#z
unicode: "é\u2028"
)");
}

// A value of any shape, with texts that are hard to write.
json::Value any_value(Random& random, int depth, json::Allocator& allocator) {
    static constexpr std::string_view pieces[] = {"a",
                                                  "b c",
                                                  " ",
                                                  "\n",
                                                  "\t",
                                                  ":",
                                                  ": ",
                                                  " #",
                                                  "#",
                                                  "-",
                                                  "- ",
                                                  "?",
                                                  "'",
                                                  "\"",
                                                  "\\",
                                                  "{",
                                                  "}",
                                                  "[",
                                                  "]",
                                                  ",",
                                                  "&x",
                                                  "*x",
                                                  "!t",
                                                  "|",
                                                  ">",
                                                  "%",
                                                  "@",
                                                  "`",
                                                  "~",
                                                  "null",
                                                  "true",
                                                  "no",
                                                  "1",
                                                  "0x1",
                                                  "1e3",
                                                  ".5",
                                                  "...",
                                                  "---",
                                                  "é",
                                                  "\xe2\x80\xa8",
                                                  "\xc2\x85",
                                                  "\r",
                                                  "\x01",
                                                  "\xf0\x9f\x98\x80",
                                                  "=",
                                                  "<<",
                                                  "\xef\xbb\xbf",
                                                  "\x7f",
                                                  "\n\n",
                                                  "  "};
    const auto text = [&] {
        std::string out;
        for (std::uint64_t n = random.next() % 6; n > 0; --n) {
            out += pieces[random.next() % std::size(pieces)];
        }
        return out;
    };
    switch (random.next() % (depth > 0 ? 8 : 6)) {
        case 0:
            return json::Value();
        case 1:
            return json::Value(random.next() % 2 == 0);
        case 2:
            return json::Value(static_cast<std::int64_t>(random.next()));
        case 3:
            return json::Value(static_cast<double>(random.next() % 1000) / 8);
        case 4:
        case 5:
            return json::make(text(), allocator);
        case 6: {
            json::Value list(rapidjson::kArrayType);
            for (std::uint64_t n = random.next() % 4; n > 0; --n) {
                list.PushBack(any_value(random, depth - 1, allocator), allocator);
            }
            return list;
        }
        default: {
            json::Value object(rapidjson::kObjectType);
            for (std::uint64_t n = random.next() % 4; n > 0; --n) {
                json::set(object, text(), any_value(random, depth - 1, allocator), allocator);
            }
            return object;
        }
    }
}

TEST(ToYaml, IsReadBackAsTheSame) {
    SeededRandom random(20261120);
    for (int i = 0; i < 20'000; ++i) {
        json::Document document(rapidjson::kObjectType);
        json::set(document, "x", any_value(random, 4, document.GetAllocator()),
                  document.GetAllocator());
        const std::string yaml = to_yaml(document);
        const auto back = parse_yaml(yaml, "f.yaml");
        ASSERT_TRUE(back) << back.error().message << "\n" << yaml << "\n" << json::text(document);
        ASSERT_EQ(json::text(back->front().value), json::text(document)) << yaml;
    }
}

}  // namespace
}  // namespace atelier::crds
