// history and diff, as a person reads them.
#include "base/text.h"
#include "cli/output/revision_diff.h"
#include "cli/output/text_diff.h"
#include "tests/cli/cli_server.h"

namespace atelier::cli::test {
namespace {

TEST(DiffText, SaysWhatChangedLineByLine) {
    const auto text = [](const std::string& json) {
        const auto parsed = json::parse(json);
        EXPECT_TRUE(parsed) << (parsed ? "" : parsed.error().message);
        return diff_text(*parsed);
    };
    const std::string sides =
        R"("since":{"revision":"1111111111111111111111111111111111111111"},)"
        R"("to":{"revision":"2222222222222222222222222222222222222222","author":"Ada\u001b[2J",)"
        R"("subject":"a team"})";
    EXPECT_EQ(text("{" + sides + R"(,"workspaces":[]})"),
              "since 111111111111\n"
              "to    222222222222 \"a team\" by Ada [2J\n"
              "no workspace differs\n");
    EXPECT_EQ(text("{" + sides + R"(,"env":{"added":["A"]},"fields":[
                  {"name":"name","before":"Dev","after":"Dev 2"}],"workspaces":[
                  {"key":"lead","change":"Added"},
                  {"key":"be","change":"Added","parent":{"before":"","after":"lead"}},
                  {"key":"pm","change":"Changed","parent":{"before":"","after":"lead"},
                   "fields":[{"name":"tier","before":2,"after":3},{"name":"model","after":"opus"},
                             {"name":"role","before":")" +
                   std::string(200, 'x') + R"(","after":"y"}],
                   "files":[{"path":"a","after":"aa"},{"path":"b","before":"bb"},
                            {"path":"c","before":"c1","after":"c2"}],
                   "env":{"added":["N"],"removed":["O"],"changed":["P"]}},
                  {"key":"old","change":"Removed"},{"key":"rest","change":"NotSpawned"}]})"),
              "since 111111111111\n"
              "to    222222222222 \"a team\" by Ada [2J\n"
              "~ (the org)\n"
              "    name: \"Dev\" -> \"Dev 2\"\n"
              "    env +A\n"
              "+ lead\n"
              "+ be  under lead\n"
              "~ pm\n"
              "    moved: (root) -> lead\n"
              "    tier: 2 -> 3\n"
              "    model: (none) -> \"opus\"\n"
              "    role: \"" +
                  std::string(59, 'x') +
                  "… -> \"y\"\n"
                  "    file +a  aa\n"
                  "    file -b  bb\n"
                  "    file ~c  c1 -> c2\n"
                  "    env +N -O ~P\n"
                  "- old\n"
                  "- rest  no longer spawned; a workspace that runs stays\n");
}

class RevisionVerbs : public CliServer {
  protected:
    void SetUp() override {
        ASSERT_EQ(apply(R"(apiVersion: atelier.dev/v1alpha1
kind: OrgTemplate
metadata: {name: dev}
spec: {source: {inline: "name: x\n"}}
---
apiVersion: atelier.dev/v1alpha1
kind: Org
metadata: {name: acme}
spec: {templateRef: {name: dev}}
)")
                      .code,
                  0);
    }
    void has_history() {
        const std::string base = "/apis/atelier.dev/v1alpha1/namespaces/default/";
        set_status(base + "orgtemplates/dev",
                   R"({"revision":")" + newer + R"(","artifactDigest":")" + std::string(64, 'b') +
                       R"(","history":[{"revision":")" + newer + R"(","artifactDigest":")" +
                       std::string(64, 'b') +
                       R"(","compiledAt":"2026-01-02T00:00:00Z","author":"Ada","subject":"two",
                          "workspaces":2},{"revision":")" +
                       older + R"(","artifactDigest":")" + std::string(64, 'a') +
                       R"(","compiledAt":"2026-01-01T00:00:00Z","workspaces":1}]})");
        set_status(base + "orgs/acme", R"({"revision":")" + older + R"(","artifactDigest":")" +
                                           std::string(64, 'a') + R"(","history":[{"revision":")" +
                                           older + R"(","artifactDigest":")" +
                                           std::string(64, 'a') +
                                           R"(","appliedAt":"2026-01-03T00:00:00Z","by":"Bob"}]})");
    }
    const std::string older = "1111111" + std::string(33, '0');
    const std::string newer = "2222222" + std::string(33, '0');
};

TEST_F(RevisionVerbs, HistoryShowsWhatThereIsAndWhatRan) {
    const auto none = run({"history", "acme"});
    EXPECT_EQ(none.code, 0);
    EXPECT_EQ(none.out, "");
    EXPECT_THAT(none.err, HasSubstr("OrgTemplate dev has no revision yet"));
    has_history();
    ASSERT_EQ(apply(R"(apiVersion: atelier.dev/v1alpha1
kind: Org
metadata: {name: acme}
spec: {templateRef: {name: dev}, revision: "1111111"}
)")
                  .code,
              0);
    const auto shown = run({"history", "org/acme"});
    EXPECT_EQ(shown.code, 0) << shown.err;
    const auto lines = split(shown.out, '\n');
    ASSERT_EQ(lines.size(), 7u) << shown.out;
    EXPECT_THAT(lines[1],
                testing::MatchesRegex("222222200000 +bbbbbbbbbbbb +2 .* Ada +two +newest *"));
    EXPECT_THAT(lines[2],
                testing::MatchesRegex("111111100000 +aaaaaaaaaaaa +1 .* - +- +runs, pinned *"));
    EXPECT_THAT(lines[5], testing::MatchesRegex(".* 111111100000 +aaaaaaaaaaaa +Bob *"));
    const auto as_json = run({"history", "acme", "-o", "json"});
    EXPECT_THAT(as_json.out, HasSubstr("\"kind\": \"OrgHistory\""));
    EXPECT_THAT(as_json.out, HasSubstr("\"pinned\": \"1111111\""));
    EXPECT_EQ(run({"history"}).code, exit_code::usage);
    EXPECT_EQ(run({"history", "none"}).code, exit_code::error);
}

TEST_F(RevisionVerbs, AnUnknownRevisionIsToldWithWhatThereIs) {
    has_history();
    const auto told = run({"diff", "acme", "--since", "3333333"});
    EXPECT_GT(told.code, 1);
    EXPECT_THAT(told.err, HasSubstr("the template has no revision \"3333333\""));
    EXPECT_THAT(told.err, HasSubstr("it has 222222200000, 111111100000"));
    EXPECT_THAT(told.err, HasSubstr("atelier history acme"));
    EXPECT_EQ(run({"diff"}).code, exit_code::usage);
}

TEST(UnifiedDiff, IsThatOfDiff) {
    EXPECT_EQ(unified_diff("a\nb\n", "a\nb\n"), "");
    EXPECT_EQ(unified_diff("", ""), "");
    EXPECT_EQ(unified_diff("", "a\nb\n"), "@@ -0,0 +1,2 @@\n+a\n+b\n");
    EXPECT_EQ(unified_diff("a\n", ""), "@@ -1 +0,0 @@\n-a\n");
    EXPECT_EQ(unified_diff("1\n2\n3\n4\n5\n6\n", "1\n2\n3\n4\nfive\n6\n"),
              "@@ -2,5 +2,5 @@\n 2\n 3\n 4\n-5\n+five\n 6\n");
    std::string before;
    std::string after;
    for (int i = 1; i <= 30; ++i) {
        before += std::to_string(i) + "\n";
        after += (i == 5 || i == 12 || i == 25 ? "x" : "") + std::to_string(i) + "\n";
    }
    EXPECT_EQ(unified_diff(before, after),
              "@@ -2,14 +2,14 @@\n 2\n 3\n 4\n-5\n+x5\n 6\n 7\n 8\n 9\n 10\n 11\n-12\n+x12\n 13\n"
              " 14\n 15\n"
              "@@ -22,7 +22,7 @@\n 22\n 23\n 24\n-25\n+x25\n 26\n 27\n 28\n")
        << "changes seven lines apart share their context, those farther apart do not";
    std::string many;
    for (int i = 0; i < 5000; ++i) many += "a" + std::to_string(i) + "\n";
    const std::string all = unified_diff(many, "b\n" + many.substr(3) + "c\n");
    EXPECT_TRUE(all.starts_with("@@ -1,5000 +1,5001 @@\n-a0\n")) << all.substr(0, 100);
}

TEST_F(RevisionVerbs, DiffOfFilesSaysWhatApplyWouldChange) {
    const auto diff = [&](const std::string& text) {
        process.input = text;
        return run({"diff", "-f", "-"});
    };
    const std::string org = "apiVersion: atelier.dev/v1alpha1\nkind: Org\nmetadata: {name: acme}\n";
    const auto same = diff(org + "spec: {templateRef: {name: dev}}\n");
    EXPECT_EQ(same.code, 0) << same.err;
    EXPECT_EQ(same.out, "");
    const auto changed = diff(org + "spec: {templateRef: {name: other}}\n");
    EXPECT_EQ(changed.code, 1) << changed.err;
    EXPECT_THAT(changed.out, HasSubstr("--- live org.atelier.dev/acme\n+++ applied "
                                       "org.atelier.dev/acme\n@@ "));
    EXPECT_THAT(changed.out, HasSubstr("-    name: dev\n+    name: other\n"));
    EXPECT_THAT(changed.out, Not(HasSubstr("last-applied")));
    const auto fresh = diff(
        "apiVersion: atelier.dev/v1alpha1\nkind: Org\nmetadata: {name: n}\nspec: {templateRef: "
        "{name: dev}}\n");
    EXPECT_EQ(fresh.code, 1);
    EXPECT_THAT(fresh.out, HasSubstr("--- (not there) org.atelier.dev/n"));
    EXPECT_THAT(fresh.out, HasSubstr("+kind: Org\n"));
    EXPECT_EQ(run({"get", "org", "n"}).code, exit_code::error) << "nothing was made";
    const auto wrong = diff(org + "spec: {templateRef: {name: dev}, bogus: 1}\n");
    EXPECT_GT(wrong.code, 1);
    EXPECT_THAT(wrong.err, HasSubstr("bogus"));

    const std::string secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: ";
    ASSERT_EQ(apply(secret + "{A: hunter2, B: same}\n").code, 0);
    const auto covered = diff(secret + "{A: hunter3, B: same, C: hunter4}\n");
    EXPECT_EQ(covered.code, 1) << covered.err;
    EXPECT_THAT(covered.out, HasSubstr("-  A: '*** (before)'\n"));
    EXPECT_THAT(covered.out, HasSubstr("+  A: '*** (after)'\n"));
    EXPECT_THAT(covered.out, HasSubstr("+  C: '***'\n"));
    EXPECT_THAT(covered.out, Not(HasSubstr("aHVudGVy")));
    EXPECT_THAT(covered.out, Not(HasSubstr("hunter")));
    EXPECT_EQ(run({"diff", "acme", "-f", "x"}).code, exit_code::usage);
}

}  // namespace
}  // namespace atelier::cli::test
