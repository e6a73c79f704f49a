#include "base/text.h"

#include <gtest/gtest.h>

namespace atelier {
namespace {

using Strings = std::vector<std::string>;

TEST(Text, SplitAndJoin) {
    EXPECT_EQ(split("a,b,,c", ','), (Strings{"a", "b", "", "c"}));
    EXPECT_EQ(split("", ','), Strings{""});
    EXPECT_EQ(split(",", ','), (Strings{"", ""}));
    EXPECT_EQ(join({"a", "", "b"}, ", "), "a, , b");
    EXPECT_EQ(join({"", "a"}, ","), ",a");
    EXPECT_EQ(join({}, ","), "");
}

TEST(Text, TrimAndLower) {
    EXPECT_EQ(trim(" \t a b\r\n"), "a b");
    EXPECT_EQ(trim(" \n "), "");
    EXPECT_EQ(lower("ÀBc9"), "Àbc9") << "ASCII only";
}

TEST(Text, Slug) {
    const std::pair<std::string_view, std::string_view> rows[] = {
        {"Core Lead", "core-lead"},
        {"  R&D / Ops!  ", "r-d-ops"},
        {"---", ""},
        {"é", ""},
        {"a_b.c", "a-b-c"},
        {"42", "42"},
    };
    for (const auto& [text, expected] : rows) EXPECT_EQ(slug(text), expected);
    EXPECT_EQ(slug("aaaa bbbb", 5), "aaaa") << "no '-' at the end";
    EXPECT_EQ(slug(std::string(200, 'x')).size(), 50u);
}

TEST(Text, DnsNames) {
    for (const std::string_view good : {"a", "a-1", "0a", "xn--a"}) {
        EXPECT_TRUE(is_dns_label(good)) << good;
        EXPECT_TRUE(is_dns_subdomain(good)) << good;
    }
    for (const std::string_view bad : {"", "-a", "a-", "A", "a_b", "a b", "é", "a\n"}) {
        EXPECT_FALSE(is_dns_label(bad)) << bad;
        EXPECT_FALSE(is_dns_subdomain(bad)) << bad;
    }
    EXPECT_FALSE(is_dns_label(std::string(64, 'a')));
    EXPECT_TRUE(is_dns_subdomain(std::string(64, 'a'))) << "no limit per part";
    EXPECT_FALSE(is_dns_label("a.b"));
    EXPECT_TRUE(is_dns_subdomain("a.b-c.d"));
    EXPECT_FALSE(is_dns_subdomain("a..b"));
    EXPECT_FALSE(is_dns_subdomain("a.-b"));
    EXPECT_FALSE(is_dns_subdomain(".a"));
    EXPECT_FALSE(is_dns_subdomain(std::string(254, 'a')));
}

TEST(Text, DidYouMean) {
    EXPECT_EQ(did_you_mean("canery", {"production", "canary"}), "canary");
    EXPECT_EQ(did_you_mean("workspace", {"workspaces", "plugins"}), "workspaces");
    EXPECT_EQ(did_you_mean("zzz", {"production", "canary"}), std::nullopt);
    EXPECT_EQ(did_you_mean("", {}), std::nullopt);
}

TEST(Text, SafePaths) {
    for (const std::string_view good : {"a", "a/b", ".hidden", "a..b", "..a/b", "a/.b"}) {
        EXPECT_TRUE(is_safe_relative_path(good)) << good;
    }
    for (const std::string bad :
         {"", "/", "/a", "a/", "a//b", ".", "..", "a/..", "../a", "a/./b"}) {
        EXPECT_FALSE(is_safe_relative_path(bad)) << bad;
    }
    EXPECT_FALSE(is_safe_relative_path(std::string_view("a\0b", 3)));
}

TEST(Text, Utf8) {
    EXPECT_TRUE(is_valid_utf8("aé\xf0\x9f\x98\x80"));
    EXPECT_TRUE(is_valid_utf8(""));
    for (const std::string_view bad :
         {"\xff", "\xc3", "\xed\xa0\x80", "\xc0\xaf", "\xf4\x90\x80\x80"}) {
        EXPECT_FALSE(is_valid_utf8(bad));
    }
}

}  // namespace
}  // namespace atelier
