// history and diff, as a person reads them.
#include "cli/revisions.h"

#include "base/text.h"
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
                  "- rest  no longer spawned; what runs stays\n");
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

}  // namespace
}  // namespace atelier::cli::test
