#include "templates/validate.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "templates/directory_files.h"
#include "tests/reconcilers/org_world.h"
#include "tests/support/process.h"

namespace atelier::reconcilers {
namespace {

using namespace templates;

namespace fs = std::filesystem;

void write(const fs::path& file, const std::string& text) {
    fs::create_directories(file.parent_path());
    CHECK(write_file_atomically(file, text));
}

constexpr const char* org_yaml =
    "name: Dev\n"
    "required_env: [A_KEY, {any_of: [C_KEY, B_KEY]}]\n"
    "recommended_env: [NICE]\n"
    "workspaces:\n"
    "  - {name: PM, modle: x, children: [{name: Off, spawning: false}]}\n"
    "  - !external {repo: acme/research, ref: v1, path: w.yaml}\n";

std::string reasons_of(const std::vector<Finding>& findings) {
    std::string text;
    for (const Finding& one : findings) text += (text.empty() ? "" : " ") + one.reason;
    return text;
}

TEST(Validate, LeavesOtherRepositoriesOutUnlessAFolderStandsInForThem) {
    const support::TemporaryDirectory home;
    write(home.path() / "dev" / "org.yaml", org_yaml);
    write(home.path() / "research" / "w.yaml", "{name: Analyst, files_dir: a}\n");
    write(home.path() / "research" / "a" / "notes.md", "count\n");
    const auto files = files_of_directory(home.path() / "dev", home.path());
    {
        const auto externals = local_externals({.host = "git.example", .allow = {}}, {});
        const auto compiled = compile(*files, *externals);
        EXPECT_TRUE(compiled.errors.empty());
        EXPECT_EQ(reasons_of(compiled.warnings), "ExternalNotFetched UnknownField");
        EXPECT_EQ(templates::text_of(compiled.warnings.front()),
                  "org.yaml:6:5: !external acme/research@v1:w.yaml is not fetched and not checked: "
                  "`atelier "
                  "validate` can read a folder in its place, with --external OWNER/NAME=FOLDER");
        EXPECT_EQ(summary_of(compiled), (std::vector<std::string>{"Dev: declared 2, not spawned 1",
                                                                  "requires: A_KEY, B_KEY or C_KEY",
                                                                  "recommends: NICE"}));
        EXPECT_EQ(json_of(compiled).find("artifactDigest"), std::string::npos);
    }
    const auto externals = local_externals({.host = "git.example", .allow = {}},
                                           {{"acme/research", home.path() / "research"}});
    const auto compiled = compile(*files, *externals);
    EXPECT_EQ(reasons_of(compiled.warnings), "UnknownField");
    EXPECT_EQ(compiled.org.counts.declared, 3);
    EXPECT_EQ(compiled.org.nodes.back().files.size(), 1u);
    const auto allowing = local_externals({.host = "git.example", .allow = {"git.example/other"}},
                                          {{"acme/research", home.path() / "research"}});
    EXPECT_EQ(reasons_of(compile(*files, *allowing).errors), "ExternalNotAllowed");
}

TEST(Validate, TheDigestIsThatOfTheServersArtifact) {
    const support::TemporaryDirectory home;
    const std::string yaml = "name: Dev\nworkspaces: [{name: PM, files_dir: pm}]\n";
    write(home.path() / "org.yaml", yaml);
    write(home.path() / "pm" / "notes.md", "hi\n");
    const auto files = files_of_directory(home.path(), home.path());
    const auto externals = local_externals({}, {});
    const std::string json = json_of(compile(*files, *externals));

    OrgWorld world;
    world.push({{"org.yaml", yaml}, {"pm/notes.md", "hi\n"}});
    world.make_git_template();
    world.settle();
    const auto digest = world.read<crds::OrgTemplate>("dev").status.artifact_digest;
    ASSERT_FALSE(digest.empty());
    EXPECT_NE(json.find("\"artifactDigest\": \"" + digest + "\""), std::string::npos) << json;
}

TEST(Validate, ErrorsAreInTheReportWithTheirPlace) {
    const auto files = files_of_text("name: Dev\nworkspaces:\n  - {name: A}\n  - {name: A}\n");
    const auto externals = local_externals({}, {});
    const auto compiled = compile(*files, *externals);
    EXPECT_TRUE(summary_of(compiled).empty());
    const auto report = json::parse(json_of(compiled));
    ASSERT_TRUE(report);
    EXPECT_FALSE((*report)["valid"].GetBool());
    const json::Value& error = (*report)["errors"][0];
    EXPECT_EQ(json::view(error["reason"]), "DuplicateKey");
    EXPECT_EQ(json::view(error["file"]), "org.yaml");
    EXPECT_EQ(error["line"].GetInt(), 4);
}

}  // namespace
}  // namespace atelier::reconcilers
