// The grammar of `.env` files: what docker compose reads, and a note about each odd line.
#include "templates/env_file.h"

#include <gmock/gmock.h>

namespace atelier::templates {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// "3: message" of each odd line.
std::vector<std::string> odd(std::string_view text) {
    std::vector<std::string> out;
    for (const OddLine& line : parse_env(text).odd) {
        out.push_back(std::to_string(line.line) + ": " + line.message);
    }
    return out;
}

TEST(EnvFile, Fault25_IsReadAsDockerComposeReadsIt) {
    struct Case {
        const char* text;
        EnvMap expected;
    };
    const Case cases[] = {
        {"A=1\n# B=2\n\n C = spaced \n", {{"A", "1"}, {"C", "spaced"}}},
        {"A=\"abc\" # rotated in May", {{"A", "abc"}}},
        {"A='x y'   # who", {{"A", "x y"}}},
        {"A='x'# who", {{"A", "x"}}},
        {"A=\"a # b\"", {{"A", "a # b"}}},
        {"A=value # note", {{"A", "value"}}},
        {"A=value# part of it", {{"A", "value# part of it"}}},
        {"A= # note", {{"A", ""}}},
        {"A=#1", {{"A", "#1"}}},
        {"A=\nB=\"\"", {{"A", ""}, {"B", ""}}},
        {"export A=1\nexported=2", {{"A", "1"}, {"exported", "2"}}},
        {"A: 1\nB:\n", {{"A", "1"}, {"B", ""}}},
        {"A=\"-----BEGIN\nMIIabc\nQmFzZTY0==\n-----END\" # key\nB=2",
         {{"A", "-----BEGIN\nMIIabc\nQmFzZTY0==\n-----END"}, {"B", "2"}}},
        {"A='one\r\ntwo'\r\nB=2\r\n", {{"A", "one\ntwo"}, {"B", "2"}}},
        {"A=\"a\\nb\\t\\\"c\\\"\\\\d\\q\"", {{"A", "a\nb\t\"c\"\\d\\q"}}},
        {"A='Let\\'s go\\n'", {{"A", "Let's go\\n"}}},
        {"A='$B'\nC=\"\\$B\"", {{"A", "$B"}, {"C", "$B"}}},
        {"A=it's \"half\"", {{"A", "it's \"half\""}}},
        {"A=https://x.example/?a=b", {{"A", "https://x.example/?a=b"}}},
        {"\xef\xbb\xbf"
         "A=1",
         {{"A", "1"}}},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.text);
        const EnvFile file = parse_env(c.text);
        EXPECT_EQ(file.values, c.expected);
        EXPECT_THAT(odd(c.text), IsEmpty());
        EXPECT_FALSE(file.unclosed);
    }
}

TEST(EnvFile, Fault25_EachOddLineIsNamed) {
    EXPECT_THAT(odd("A=1\nnope\nexport B\n=1\n1A=2"),
                ElementsAre(HasSubstr("2: the line is ignored: it is not NAME=value"),
                            HasSubstr("3: the line is ignored: it is not NAME=value"),
                            HasSubstr("4: the entry is ignored: a name has"),
                            HasSubstr("5: the entry is ignored: a name has")));
    EXPECT_THAT(odd("A='two\nlines'\nB='x' y\nC=3"),
                ElementsAre(HasSubstr("3: the entry is ignored: there is text after the closing")));
    EXPECT_THAT(odd("A=1\nA=2"), ElementsAre("2: A is set again, and its value of line 1 has no "
                                             "effect"));
    EXPECT_THAT(odd("A=${B}\nC=\"$D\"\nE=a$5"), ElementsAre(HasSubstr("1: $NAME is not expanded"),
                                                            HasSubstr("2: $NAME is not expanded")));
    EXPECT_EQ(parse_env("A=${B}").values, (EnvMap{{"A", "${B}"}}));
    EXPECT_EQ(parse_env("A=1\nA=2").values, (EnvMap{{"A", "2"}}));
}

TEST(EnvFile, Fault25_AQuoteThatIsNeverClosedIsAnError) {
    const EnvFile file = parse_env("A=1\nB=\"abc\nC=3\n");
    ASSERT_TRUE(file.unclosed);
    EXPECT_EQ(file.unclosed->line, 2);
    EXPECT_EQ(file.values, (EnvMap{{"A", "1"}})) << "no line of the value is taken for an entry";
}

TEST(EnvFile, ValuesThatNoProgramCanBeGivenAreOdd) {
    const std::string most(128 * 1024 - 1 - 3, 'x');  // with "A=" and the end
    const std::string text = "A=" + most + "\nB=" + most + "x\nC=\xff\nD=\xc3\xa9\n";
    EXPECT_EQ(parse_env(text).values, (EnvMap{{"A", most}, {"D", "\xc3\xa9"}}));
    EXPECT_THAT(odd(text), ElementsAre("2: B is ignored: it has more than 128 KiB",
                                       "3: C is ignored: its value is not UTF-8 text"));
}

}  // namespace
}  // namespace atelier::templates
