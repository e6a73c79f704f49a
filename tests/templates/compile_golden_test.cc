// The compiler's corpus: tests/golden/<case>/template is compiled, and everything that comes out
// must be what tests/golden/<case>/expected.txt says. Other repositories that it may name are the
// folders tests/golden/<case>/external/<owner>/<name>@<tag> on git.example.com, of which only those
// of "acme" are allowed. ATELIER_GOLDEN_REWRITE=1 writes the files
// anew: commit only differences you can explain.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "base/file.h"
#include "reconcilers/org_template/git_externals.h"
#include "templates/compile.h"
#include "templates/directory_files.h"
#include "templates/tree_files.h"
#include "tests/fakes/fake_git.h"
#include "tests/support/process.h"

namespace atelier::templates {
namespace {

namespace fs = std::filesystem;

fs::path corpus() {
    return fs::path(ATELIER_SOURCE_DIR) / "tests" / "golden";
}

std::string findings_text(std::string_view title, const std::vector<Finding>& findings) {
    std::string out;
    for (const Finding& finding : findings) {
        out += fmt::format("{} {} {}\n", title, finding.reason, text_of(finding));
    }
    return out;
}

// The names that have a value, with the value's length in place of the value, so that a wrong split
// shows and the corpus reads well.
std::string env_text(std::string_view of, const EnvMap& values) {
    std::string out;
    for (const auto& [name, value] : values) {
        out += fmt::format("env {} {}=<{}>\n", of, name, value.size());
    }
    return out;
}

std::string text_of_result(const Compilation& result) {
    std::string out =
        findings_text("error", result.errors) + findings_text("warning", result.warnings);
    if (!result.errors.empty()) return out;
    for (const auto& external : result.externals) {
        out += fmt::format("external {} {}\n", external.url, external.ref);
    }
    out += env_text("(org)", result.env.org);
    for (const auto& [key, values] : result.env.nodes) out += env_text(key, values);
    for (const Node& node : result.org.nodes) {
        for (const NodeFile& file : node.files) {
            const auto& bytes = result.trees.at(node.files_digest).at(file.path).bytes;
            out += fmt::format("file {} {} ({} bytes{})\n", node.key, file.path, bytes.size(),
                               file.executable ? ", executable" : "");
        }
    }
    return out + json::pretty(json::document_of(result.org)) + "\n";
}

// The folder as git would give it: links are entries, not followed.
drivers::Tree tree_of(const fs::path& root) {
    drivers::Tree tree;
    for (const auto& entry : fs::recursive_directory_iterator(root)) {
        const std::string path = fs::relative(entry.path().parent_path(), root).string() == "."
                                     ? entry.path().filename().string()
                                     : fs::relative(entry.path().parent_path(), root).string() +
                                           "/" + entry.path().filename().string();
        drivers::File file;
        if (entry.is_symlink()) {
            file.kind = drivers::File::Kind::symlink;
            file.bytes = fs::read_symlink(entry.path()).string();
        } else if (entry.is_regular_file()) {
            file.bytes = read_file(entry.path()).operator bool() ? *read_file(entry.path()) : "";
            file.executable =
                (entry.status().permissions() & fs::perms::owner_exec) != fs::perms::none;
        } else {
            continue;
        }
        tree.emplace(path, std::move(file));
    }
    return tree;
}

void add_repository(fakes::FakeGit& git, const std::string& owner, const fs::path& folder) {
    const std::string name = folder.filename().string();
    const std::size_t at = name.find('@');
    const std::string url =
        fmt::format("https://git.example.com/{}/{}.git", owner, name.substr(0, at));
    git.tag(url, name.substr(at + 1), git.commit(url, tree_of(folder)));
}

// Compiles with the other repositories of the case.
Compilation compile_case(const std::string& name, TemplateFiles& files) {
    fakes::FakeGit git;
    const fs::path external = corpus() / name / "external";
    if (fs::exists(external)) {
        for (const auto& owner : fs::directory_iterator(external)) {
            for (const auto& repository : fs::directory_iterator(owner.path())) {
                add_repository(git, owner.path().filename().string(), repository.path());
            }
        }
    }
    const auto externals = reconcilers::external_repositories(
        git, {.host = "git.example.com", .allow = {"git.example.com/acme/*"}}, {});
    return compile(files, *externals);
}

std::vector<std::string> cases() {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(corpus())) {
        if (entry.is_directory()) names.push_back(entry.path().filename().string());
    }
    std::sort(names.begin(), names.end());
    return names;
}

std::string test_name(const testing::TestParamInfo<std::string>& info) {
    std::string name = info.param;
    std::replace(name.begin(), name.end(), '-', '_');
    return name;
}

// A case that needs a file too large to be stored says so in `large-file`: "<path> <bytes>". It is
// compiled from a copy that has it.
class CompileGolden : public testing::TestWithParam<std::string> {
  protected:
    fs::path folder_of_case() {
        const fs::path stored = corpus() / GetParam();
        const auto large = read_file(stored / "large-file");
        if (!large) return stored;
        const fs::path copy = copy_.path() / GetParam();
        fs::copy(stored, copy, fs::copy_options::recursive | fs::copy_options::copy_symlinks);
        const std::size_t space = large->find(' ');
        const fs::path path = copy / "template" / large->substr(0, space);
        fs::create_directories(path.parent_path());
        EXPECT_TRUE(
            write_file_atomically(path, std::string(std::stoul(large->substr(space + 1)), 'x')));
        return copy;
    }

  private:
    support::TemporaryDirectory copy_;
};

TEST_P(CompileGolden, GivesWhatIsExpected) {
    const fs::path folder = folder_of_case();
    const auto files = files_of_directory(folder / "template", folder);
    const std::string got = text_of_result(compile_case(GetParam(), *files));
    const fs::path expected_file = corpus() / GetParam() / "expected.txt";
    if (std::getenv("ATELIER_GOLDEN_REWRITE")) {
        ASSERT_TRUE(write_file_atomically(expected_file, got));
        return;
    }
    const auto expected = read_file(expected_file);
    ASSERT_TRUE(expected) << expected.error().message;
    EXPECT_EQ(*expected, got);
}

// The same template from git gives the same result, unless it reaches outside of its own folder.
TEST_P(CompileGolden, GivesTheSameFromATree) {
    const fs::path folder = folder_of_case();
    if (fs::exists(folder / "only-as-folder")) return;
    const auto tree = std::make_shared<drivers::Tree>(tree_of(folder / "template"));
    const auto from_tree = files_of_tree(tree);
    const auto from_folder = files_of_directory(folder / "template", folder);
    EXPECT_EQ(text_of_result(compile_case(GetParam(), *from_tree)),
              text_of_result(compile_case(GetParam(), *from_folder)));
}

INSTANTIATE_TEST_SUITE_P(Corpus, CompileGolden, testing::ValuesIn(cases()), test_name);

}  // namespace
}  // namespace atelier::templates
