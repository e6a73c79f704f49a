#include "base/json.h"

#include <gtest/gtest.h>

#include "base/json_members.h"
#include "base/random.h"

namespace atelier::json {
namespace {

std::string parsed(std::string_view text, const Limits& limits = {}) {
    const auto document = parse(text, limits);
    return document ? json::text(*document) : "error: " + document.error().message;
}

TEST(Json, Parses) {
    const std::pair<std::string_view, std::string_view> rows[] = {
        {" {\"a\" : [1, -2, 3.5, true, null, \"x\"]} ", R"({"a":[1,-2,3.5,true,null,"x"]})"},
        {"18446744073709551615", "18446744073709551615"},
        {"-9223372036854775808", "-9223372036854775808"},
        {R"("\ud83d\ude00\n")", "\"\xf0\x9f\x98\x80\\n\""},
        {"0.1", "0.1"},
        {"1.0", "1.0"},
    };
    for (const auto& [text, expected] : rows) EXPECT_EQ(parsed(text), expected);
}

TEST(Json, RefusesAndSaysWhere) {
    for (const std::string text :
         {"", "{", "[1,]", "{\"a\":1,}", "{a:1}", "01", "1 2", "nul", "\"\xff\"", "\"\\ud800\"",
          "[1] x", "'a'", "// x\n1", "NaN", "1e999"}) {
        EXPECT_TRUE(parsed(text).starts_with("error: not valid JSON at byte ")) << text;
    }
    EXPECT_NE(parsed(std::string("\"a\\u0000b\"")).find("a NUL character"), std::string::npos);
    EXPECT_NE(parsed("{\"a\\u0000\":1}").find("a NUL character"), std::string::npos);
    EXPECT_EQ(parsed(R"({"a":1,"b":2,"a":3})"), "error: duplicate field \"a\"");
    EXPECT_EQ(parsed(R"({"x":[{"a":1,"a":2}]})"), "error: duplicate field \"x[0].a\"");
}

TEST(Json, StopsAtItsLimits) {
    std::string deep(100'000, '[');
    EXPECT_NE(parsed(deep).find("nested deeper than 100 levels"), std::string::npos);
    EXPECT_EQ(parsed(std::string(100, '[') + std::string(100, ']')),
              std::string(100, '[') + std::string(100, ']'));
    EXPECT_NE(parsed("[1,2,3]", {.depth = 5, .nodes = 3}).find("more than 3 values"),
              std::string::npos);
    EXPECT_EQ(parsed("[1,2]", {.depth = 5, .nodes = 3}), "[1,2]");
}

TEST(Json, LenientKeepsTheLastAndNamesTheRest) {
    std::vector<std::string> duplicates;
    const auto document =
        parse_lenient(R"({"a":1,"b":{"c":1,"c":2,"c":3},"a":{"d":1,"d":2}})", duplicates);
    ASSERT_TRUE(document);
    EXPECT_EQ(canonical(*document), R"({"a":{"d":2},"b":{"c":3}})");
    std::sort(duplicates.begin(), duplicates.end());
    EXPECT_EQ(duplicates, (std::vector<std::string>{"a", "a.d", "b.c", "b.c"}));
}

// Fault 7: a path was made for each nested value, a set anew for each duplicate.
TEST(Json, Fault7_NamesAHundredDuplicatesAndCountsTheRest) {
    std::string text = "{\"a\":0";
    for (int i = 0; i < 5000; ++i) text += ",\"a\":1";
    std::vector<std::string> duplicates;
    ASSERT_TRUE(parse_lenient(text + "}", duplicates));
    ASSERT_EQ(duplicates.size(), 5000u);
    EXPECT_EQ(duplicates[99], "a");
    EXPECT_EQ(duplicates[100], "…");
    EXPECT_EQ(parsed("{\"" + std::string(4097, 'k') + "\":1}"),
              "error: not valid JSON at byte 4100: a key of 4097 bytes, at most 4096 are read");
}

TEST(Json, Fault11_ChecksWhatCouldNotBeReadBack) {
    Document deep;
    for (int i = 0; i < 100; ++i) {
        EXPECT_TRUE(check(deep)) << i;
        Document outer(rapidjson::kArrayType);
        outer.PushBack(Value(deep, outer.GetAllocator()), outer.GetAllocator());
        deep = std::move(outer);
    }
    EXPECT_TRUE(check(deep));
    EXPECT_TRUE(parse(text(deep)));
    Document outer(rapidjson::kArrayType);
    outer.PushBack(Value(deep, outer.GetAllocator()), outer.GetAllocator());
    EXPECT_EQ(check(outer).error().message, "nested deeper than 100 levels");
    EXPECT_FALSE(parse(text(outer)));
    Document named(rapidjson::kObjectType);
    set(named, std::string(4097, 'k'), Value(1), named.GetAllocator());
    EXPECT_FALSE(check(named));
    EXPECT_FALSE(check(*parse("[1,2,3]"), {.depth = 5, .nodes = 3}));
}

TEST(Json, KeepsAndSetsManyMembersInOrder) {
    Document d = *parse(R"({"a":1,"b":2,"c":3,"d":4})");
    keep_members(d, [](const Value::Member& m) { return m.value.GetInt() % 2 == 0; });
    EXPECT_EQ(text(d), R"({"b":2,"d":4})");
    std::vector<std::pair<std::string_view, Value>> members;
    members.emplace_back("x", Value(5));
    members.emplace_back("d", Value(6));
    set_members(d, std::move(members), d.GetAllocator());
    EXPECT_EQ(text(d), R"({"b":2,"d":6,"x":5})");
    keep_members(d, [](const Value::Member&) { return false; });
    EXPECT_EQ(text(d), "{}");
    keep_members(d, [](const Value::Member&) { return true; });
    EXPECT_TRUE(equal(*parse(R"({"a":1,"b":[{"c":1.5}]})"), *parse(R"({"b":[{"c":1.5}],"a":1})")));
    EXPECT_FALSE(equal(*parse(R"({"a":1,"b":2})"), *parse(R"({"a":1,"c":2})")));
    EXPECT_FALSE(equal(*parse("[1,2]"), *parse("[2,1]")));
    EXPECT_FALSE(equal(*parse("true"), *parse("false")));
}

TEST(Json, FindsAndSets) {
    Document d = *parse(R"({"a":{"b":"x","n":1}})");
    auto& allocator = d.GetAllocator();
    EXPECT_EQ(string_at(d, {"a", "b"}), "x");
    EXPECT_EQ(string_at(d, {"a", "n"}), "") << "not a string";
    EXPECT_EQ(string_at(d, {"a", "b", "c"}), "");
    EXPECT_EQ(find(static_cast<const Value&>(d), {"a", "z"}), nullptr);
    set(d["a"], "b", "y", allocator);
    set(d, "c", Value(7), allocator);
    remove(d["a"], "n");
    remove(d, "not there");
    object_at(d, "c", allocator).AddMember("x", 1, allocator);
    EXPECT_EQ(text(d), R"({"a":{"b":"y"},"c":{"x":1}})");
}

TEST(Json, CanonicalSortsAtEveryDepth) {
    EXPECT_EQ(canonical(*parse(R"({"b":[{"z":1,"y":2}],"a":null})")),
              R"({"a":null,"b":[{"y":2,"z":1}]})");
}

TEST(Json, CopiesLiveOnTheirOwn) {
    Document copied;
    {
        const Document original =
            *parse(R"({"a":["a string that is longer than the short form"]})");
        copied = copy(original);
    }
    EXPECT_EQ(text(copied), R"({"a":["a string that is longer than the short form"]})");
}

// The cases of RFC 7396, appendix A.
TEST(Json, MergePatch) {
    const std::tuple<std::string_view, std::string_view, std::string_view> rows[] = {
        {R"({"a":"b"})", R"({"a":"c"})", R"({"a":"c"})"},
        {R"({"a":"b"})", R"({"b":"c"})", R"({"a":"b","b":"c"})"},
        {R"({"a":"b"})", R"({"a":null})", R"({})"},
        {R"({"a":"b","b":"c"})", R"({"a":null})", R"({"b":"c"})"},
        {R"({"a":["b"]})", R"({"a":"c"})", R"({"a":"c"})"},
        {R"({"a":"c"})", R"({"a":["b"]})", R"({"a":["b"]})"},
        {R"({"a":{"b":"c"}})", R"({"a":{"b":"d","c":null}})", R"({"a":{"b":"d"}})"},
        {R"({"a":[{"b":"c"}]})", R"({"a":[1]})", R"({"a":[1]})"},
        {R"(["a","b"])", R"(["c","d"])", R"(["c","d"])"},
        {R"({"a":"b"})", R"(["c"])", R"(["c"])"},
        {R"({"a":"foo"})", R"(null)", R"(null)"},
        {R"({"e":null})", R"({"a":1})", R"({"e":null,"a":1})"},
        {R"([1,2])", R"({"a":"b","c":null})", R"({"a":"b"})"},
        {R"({})", R"({"a":{"bb":{"ccc":null}}})", R"({"a":{"bb":{}}})"},
    };
    for (const auto& [target, patch, expected] : rows) {
        Document d = *parse(target);
        merge_patch(d, *parse(patch), d.GetAllocator());
        EXPECT_EQ(canonical(d), canonical(*parse(expected))) << target << " + " << patch;
    }
}

TEST(Json, AnyBytesGiveAValueOrAnError) {
    SeededRandom random(3);
    constexpr std::string_view letters = "{}[]\",:0123.eE+-\\utrfn \n\xc3\xa9\xff";
    for (int i = 0; i < 50'000; ++i) {
        std::string text;
        for (std::uint64_t n = random.next() % 30; n > 0; --n) {
            text += letters[random.next() % letters.size()];
        }
        const auto document = parse(text);
        if (document) {
            EXPECT_EQ(json::text(*parse(json::text(*document))), json::text(*document)) << text;
        }
    }
}

}  // namespace
}  // namespace atelier::json
