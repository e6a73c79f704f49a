// What may be written as a ref and as a URL.
#include <gtest/gtest.h>

#include "drivers/git/git.h"
#include "drivers/git/one_line.h"

namespace atelier::drivers {
namespace {

TEST(OneLine, IsShortValidAndMovesNoCursor) {
    EXPECT_EQ(one_line(" Ada \xc3\x9c"), "Ada \xc3\x9c");
    EXPECT_EQ(one_line("a\nb\tc\x1b[31m\x7f"), "a b c [31m");
    EXPECT_EQ(one_line("a\xc2\x9b"
                       "b"),
              "a b")
        << "a control sequence in one character";
    EXPECT_EQ(one_line("a\xe2\x80\xae"
                       "b\xe2\x81\xa6"
                       "c"),
              "a b c")
        << "turns the direction of writing";
    EXPECT_EQ(one_line("Andr\xe9 x"), "Andr\xef\xbf\xbd x") << "Latin-1";
    EXPECT_EQ(one_line(std::string(1000, 'x')), std::string(200, 'x'));
    std::string wide;
    for (int i = 0; i < 100; ++i) wide += "\xe2\x82\xac";
    EXPECT_EQ(one_line(wide).size(), 198u) << "cut between characters";
    EXPECT_EQ(one_line("\n\r\t"), "");
}

TEST(CheckRef, Scenario04RefusesWhatCouldBeMoreThanAName) {
    const std::string refused[] = {"",
                                   "--upload-pack=x",
                                   "-upload-pack=x",
                                   "-",
                                   "main; rm -rf /",
                                   "a..b",
                                   "../../etc/passwd",
                                   "/main",
                                   "main/",
                                   "a//b",
                                   "main@{1}",
                                   "HEAD^",
                                   "HEAD~1",
                                   "a b",
                                   "a\nb",
                                   "$(id)",
                                   "`id`",
                                   "a:b",
                                   "a*",
                                   "a\\b",
                                   "@",
                                   "@{u}",
                                   "m\xc3\xa4in",
                                   "a.lock",
                                   "a.",
                                   std::string("main\0x", 6),
                                   std::string(256, 'a')};
    for (const std::string& ref : refused) {
        SCOPED_TRACE(ref);
        const auto checked = check_ref(ref);
        ASSERT_FALSE(checked);
        EXPECT_EQ(checked.error().code, Code::invalid);
        EXPECT_NE(checked.error().message, "");
    }
    for (const std::string ref :
         {"main", "v1.2.3", "feature/x_y-z", "refs/tags/v1", "HEAD", ".a", "pkg@1.0.0",
          "v1.0.0+build", "0123456789012345678901234567890123456789"}) {
        EXPECT_TRUE(check_ref(ref)) << ref;
    }
    EXPECT_TRUE(check_ref(std::string(255, 'a')));
}

TEST(CheckRemoteUrl, TakesHttpOnlyAndNeverACredential) {
    for (const char* url :
         {"http://localhost:8080/a.git", "https://github.com/o/r", "HTTPS://h/x", "http://h/a/b/c/",
          "http://[::1]:80/x", "http://127.0.0.1/x", "https://a-b.c_d.example/~me/x.git"}) {
        EXPECT_TRUE(check_remote_url(url)) << url;
    }
    for (const char* url : {"",
                            "git://h/x",
                            "ssh://h/x",
                            "file:///etc",
                            "/etc",
                            "h/x",
                            "git@h:x",
                            "ext::sh -c id",
                            "http://",
                            "http:///x",
                            "http://h",
                            "http://h/",
                            "http://h:0/x",
                            "http://h:70000/x",
                            "http://h:/x",
                            "http://h:a/x",
                            "http://user:pw@h/x",
                            "http://token@h/x",
                            "http://h/x?y=1",
                            "http://h/x#main",
                            "http://h/a b",
                            "http://h/\n",
                            "http://h/../x",
                            "http://-h/x",
                            "http://h\\@evil/x",
                            "http://[::1/x",
                            "http://[x]/y",
                            "https://h/\xc3\xa4"}) {
        SCOPED_TRACE(url);
        const auto checked = check_remote_url(url);
        ASSERT_FALSE(checked);
        EXPECT_EQ(checked.error().code, Code::invalid);
        EXPECT_EQ(checked.error().message.find("pw@"), std::string::npos);
    }
    EXPECT_FALSE(check_remote_url("http://h/" + std::string(2048, 'a')));
}

TEST(ResolveRef, Fault24_ABranchComesBeforeATag) {
    const std::string a(40, 'a');
    const std::string b(40, 'b');
    const std::vector<GitRef> refs = {{"HEAD", a},
                                      {"refs/heads/main", a},
                                      {"refs/heads/both", a},
                                      {"refs/tags/both", b},
                                      {"refs/tags/v1", b}};
    const auto text = [&](std::string_view ref) {
        const auto found = resolve_ref(refs, ref);
        return found ? found->name + " " + found->commit.substr(0, 1)
                     : std::string(name_of(found.error().code));
    };
    EXPECT_EQ(text(""), "HEAD a");
    EXPECT_EQ(text("HEAD"), "HEAD a");
    EXPECT_EQ(text("main"), "refs/heads/main a");
    EXPECT_EQ(text("v1"), "refs/tags/v1 b");
    EXPECT_EQ(text("both"), "refs/heads/both a");
    EXPECT_EQ(text("tags/both"), "refs/tags/both b");
    EXPECT_EQ(text("refs/tags/both"), "refs/tags/both b");
    EXPECT_EQ(text("heads/both"), "refs/heads/both a");
    EXPECT_EQ(text("refs/heads/both"), "refs/heads/both a");
    EXPECT_EQ(text(std::string(40, 'C')), std::string(40, 'c') + " c");
    EXPECT_EQ(text("v2"), "not found");
    EXPECT_EQ(text("-v1"), "invalid");
    EXPECT_NE(ambiguity_of(refs, "both").find("write refs/heads/both to say so"),
              std::string::npos);
    for (const char* clear : {"", "HEAD", "main", "v1", "refs/heads/both", "refs/tags/both"}) {
        EXPECT_EQ(ambiguity_of(refs, clear), "") << clear;
    }
    const auto empty = resolve_ref({}, "");
    ASSERT_FALSE(empty);
    EXPECT_EQ(empty.error().code, Code::not_found);
}

}  // namespace
}  // namespace atelier::drivers
