#include "base/utf8.h"

#include <gtest/gtest.h>

#include <utility>

namespace atelier {
namespace {

TEST(Utf8, WhatIsNoCharacterIsReplacedAndWhatIsCutIsLeftOut) {
    const std::pair<std::string_view, std::string_view> rows[] = {
        {"", ""},
        {"plain", "plain"},
        {"ä漢😀", "ä漢😀"},
        {"a\xFFz", "a\xEF\xBF\xBDz"},
        {"\x80", "\xEF\xBF\xBD"},
        {"a\xC3", "a"},                                            // of ä
        {"a\xE6\xBC", "a"},                                        // of 漢
        {"a\xF0\x9F\x98", "a"},                                    // of 😀
        {"\xE6\xBCz", "\xEF\xBF\xBD\xEF\xBF\xBDz"},                // cut, but not at the end
        {"\xED\xA0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},  // half of a surrogate pair
        {"\xC0\xAF", "\xEF\xBF\xBD\xEF\xBF\xBD"},                  // '/' in two bytes
        {"\xF5\x80\x80\x80",
         "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},  // beyond U+10FFFF
    };
    for (const auto& [text, expected] : rows) EXPECT_EQ(as_utf8(text), expected) << text;
}

TEST(Utf8, EveryCutOfATextIsABeginningOfIt) {
    const std::string_view whole = "a ä 漢 😀 z";
    for (std::size_t size = 0; size <= whole.size(); ++size) {
        const std::string cut = as_utf8(whole.substr(0, size));
        EXPECT_EQ(whole.substr(0, cut.size()), cut);
        EXPECT_LT(size - cut.size(), 4u);
    }
}

}  // namespace
}  // namespace atelier
