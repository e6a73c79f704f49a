#include <gtest/gtest.h>

#include "base/field_codec.h"

namespace atelier::json {
namespace {

enum class Colour { none, red, blue };
constexpr std::array<std::pair<Colour, std::string_view>, 3> names_of(Colour) {
    return {{{Colour::none, ""}, {Colour::red, "Red"}, {Colour::blue, "Blue"}}};
}

struct Inner {
    std::string text;
    template <class Self, class V>
    static void fields(Self& self, V& v) {
        v("text", self.text);
    }
};

struct Everything {
    bool flag = false;
    std::int64_t count = 7;
    double share = 0;
    std::string text;
    Duration wait{};
    Instant at{};
    Colour colour = Colour::none;
    Inner inner;
    std::optional<Inner> maybe;
    std::optional<std::int64_t> number;
    std::vector<Inner> list;
    std::map<std::string, std::vector<std::string>> map;
    Document any;
    template <class Self, class V>
    static void fields(Self& self, V& v) {
        v("flag", self.flag);
        v("count", self.count);
        v("share", self.share);
        v("text", self.text);
        v("wait", self.wait);
        v("at", self.at);
        v("colour", self.colour);
        v("inner", self.inner);
        v("maybe", self.maybe);
        v("number", self.number);
        v("list", self.list);
        v("map", self.map);
        v("any", self.any);
    }
};

TEST(Fields, ReadAndWriteAreInverse) {
    constexpr std::string_view text =
        R"({"flag":true,"count":3,"share":0.5,"text":"x","wait":"1m30s","at":"2026-01-31T12:00:00Z",)"
        R"("colour":"Red","inner":{"text":"i"},"maybe":{"text":"m"},"number":0,)"
        R"("list":[{"text":"a"},{"text":"b"}],"map":{"k":["v"]},"any":{"free":[1]}})";
    const auto value = read<Everything>(*parse(text));
    ASSERT_TRUE(value) << value.error().message;
    EXPECT_EQ(value->wait, std::chrono::seconds(90));
    EXPECT_EQ(value->colour, Colour::red);
    EXPECT_EQ(value->number, 0);
    EXPECT_EQ(json::text(document_of(*value)), text);
    EXPECT_TRUE(same(*value, *read<Everything>(*parse(text))));
}

TEST(Fields, AbsentAndNullLeaveDefaultsAndUnknownIsIgnored) {
    const auto value = read<Everything>(*parse(R"({"count":null,"maybe":null,"other":1})"));
    ASSERT_TRUE(value);
    EXPECT_EQ(value->count, 7);
    EXPECT_FALSE(value->maybe);
}

TEST(Fields, WhatIsEmptyIsNotWritten) {
    EXPECT_EQ(json::text(document_of(Everything{})),
              R"({"flag":false,"count":7,"share":0.0,"wait":"0s","at":"1970-01-01T00:00:00Z"})");
    Everything with;
    with.maybe = Inner{};
    with.number = 0;
    EXPECT_EQ(json::text(document_of(with)),
              R"({"flag":false,"count":7,"share":0.0,"wait":"0s","at":"1970-01-01T00:00:00Z",)"
              R"("maybe":{},"number":0})");
}

TEST(Fields, AWrongTypeNamesItsPath) {
    const std::pair<std::string_view, std::string_view> rows[] = {
        {R"({"flag":1})", "flag: must be a boolean"},
        {R"({"count":1.5})", "count: must be an integer"},
        {R"({"count":"1"})", "count: must be an integer"},
        {R"({"share":"1"})", "share: must be a number"},
        {R"({"text":1})", "text: must be a string"},
        {R"({"wait":"soon"})", "wait: \"soon\" is not a duration such as 30s, 10m or 1h30m"},
        {R"({"at":"now"})", "at: \"now\" is not an RFC 3339 time"},
        {R"({"colour":"Green"})", R"(colour: must be one of "", "Red", "Blue")"},
        {R"({"inner":[]})", "inner: must be an object"},
        {R"({"inner":{"text":1}})", "inner.text: must be a string"},
        {R"({"list":{}})", "list: must be a list"},
        {R"({"list":[{},{"text":1}]})", "list[1].text: must be a string"},
        {R"({"map":[]})", "map: must be an object"},
        {R"({"map":{"k":[1]}})", "map.k[0]: must be a string"},
    };
    for (const auto& [text, message] : rows) {
        const auto value = read<Everything>(*parse(text));
        ASSERT_FALSE(value) << text;
        EXPECT_EQ(value.error().message, message);
        EXPECT_EQ(value.error().code, Code::invalid);
    }
}

}  // namespace
}  // namespace atelier::json
