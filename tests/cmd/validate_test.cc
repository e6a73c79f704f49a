// `atelier validate` as the CI of a repository of templates runs it: what it prints where, and its
// exit codes.
#include "cmd/validate.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <sstream>

#include "base/file.h"
#include "tests/support/process.h"

namespace atelier::cmd {
namespace {

namespace fs = std::filesystem;

struct Ran {
    int code = -1;
    std::string out;
    std::string err;
};

class Validate : public testing::Test {
  protected:
    void write(const std::string& path, const std::string& text) {
        const fs::path file = home_.path() / path;
        fs::create_directories(file.parent_path());
        ASSERT_TRUE(write_file_atomically(file, text));
    }
    Ran run(std::vector<std::string> flags = {}, const std::string& folder = "dev") const {
        flags.insert(flags.begin(), (home_.path() / folder).string());
        return run_with(flags);
    }
    static Ran run_with(const std::vector<std::string>& arguments) {
        std::ostringstream out;
        std::ostringstream err;
        const int code = validate(arguments, Environment(), out, err);
        return {code, out.str(), err.str()};
    }
    std::string path_of(const std::string& below) const { return (home_.path() / below).string(); }

  private:
    support::TemporaryDirectory home_;
};

TEST_F(Validate, ATemplateThatIsFine) {
    write("dev/org.yaml", "name: Dev\nrequired_env: [A_KEY]\nworkspaces: [{name: PM}]\n");
    const Ran ran = run({"--strict"});
    EXPECT_EQ(ran.code, 0);
    EXPECT_EQ(ran.out, "Dev: declared 1, not spawned 0\nrequires: A_KEY\n");
    EXPECT_EQ(ran.err, "");
    EXPECT_NE(run({"-o", "json"}).out.find("\"valid\": true"), std::string::npos);
}

TEST_F(Validate, WarningsAreErrorsWhenAskedFor) {
    write("dev/org.yaml", "name: Dev\nworkspaces:\n  - {name: PM, modle: x}\n");
    const Ran ran = run();
    EXPECT_EQ(ran.code, 0);
    EXPECT_EQ(ran.err,
              "warning: org.yaml:3:23: unknown field \"modle\" of a workspace is ignored: did you "
              "mean \"model\"? (UnknownField)\n");
    EXPECT_EQ(run({"--strict"}).code, 1);
}

TEST_F(Validate, ErrorsHaveTheirPlace) {
    write("dev/org.yaml", "name: Dev\nworkspaces:\n  - !include gone.yaml\n");
    const Ran ran = run();
    EXPECT_EQ(ran.code, 1);
    EXPECT_EQ(ran.out, "");
    EXPECT_EQ(ran.err,
              "error: org.yaml:3:5: cannot read gone.yaml: there is no such file "
              "(IncludeMissing)\n");
    const Ran json = run({"-o", "json"});
    EXPECT_EQ(json.code, 1);
    EXPECT_NE(json.out.find("\"valid\": false"), std::string::npos);
    EXPECT_EQ(json.err, "");
}

TEST_F(Validate, Fault26_PluginsThatAreNotKnownAreWarnings) {
    write("dev/org.yaml",
          "name: Dev\ndefaults: {plugins: [guard]}\nworkspaces:\n  - {name: A, plugins: [adit]}\n");
    const Ran any = run();
    EXPECT_EQ(any.err, "");
    EXPECT_NE(any.out.find("plugins: adit, guard"), std::string::npos) << any.out;
    const Ran known = run({"--strict", "--plugin", "guard", "--plugin", "audit"});
    EXPECT_EQ(known.code, 1);
    EXPECT_EQ(known.err,
              "warning: org.yaml:4:25: there is no plugin \"adit\": did you mean \"audit\"? "
              "(UnknownPlugin)\n");
}

TEST_F(Validate, LinksAreHeldToTheRulesOfTheSource) {
    write("dev/org.yaml", "name: Dev\nworkspaces:\n  - !include team/w.yaml\n");
    write("sibling/w.yaml", "name: A\n");
    fs::create_directory_symlink("../sibling", path_of("dev/team"));
    EXPECT_EQ(run().code, 0);
    const Ran git = run({"--git"});
    EXPECT_EQ(git.code, 1);
    EXPECT_NE(git.err.find("a symbolic link leads out"), std::string::npos) << git.err;
}

TEST_F(Validate, AFolderStandsInForAnotherRepository) {
    write("dev/org.yaml",
          "name: Dev\nworkspaces:\n  - !external {repo: acme/r, ref: v1, path: w.yaml}\n");
    write("r/w.yaml", "name: A\n");
    EXPECT_EQ(run({"--strict"}).code, 1) << "what was left out is a warning";
    EXPECT_EQ(run({"--strict", "--external", "acme/r=" + path_of("r")}).code, 0);
    const Ran refused = run({"--external-allow", "git.example.com/other"});
    EXPECT_EQ(refused.code, 1);
    EXPECT_NE(refused.err.find("ExternalNotAllowed"), std::string::npos);
}

TEST_F(Validate, Usage) {
    write("dev/org.yaml", "name: Dev\n");
    EXPECT_EQ(run_with({}).code, 2);
    EXPECT_EQ(run({}, "none").code, 2);
    EXPECT_EQ(run({"--unknown"}).code, 2);
    EXPECT_EQ(run({"-o", "yaml"}).code, 2);
    EXPECT_EQ(run({"--external", "acme/r"}).code, 2);
    EXPECT_EQ(run({"--external-allow", "*"}).code, 2);
    const Ran help = run_with({"--help"});
    EXPECT_EQ(help.code, 0);
    EXPECT_TRUE(help.out.starts_with("compile a template")) << help.out;
}

}  // namespace
}  // namespace atelier::cmd
