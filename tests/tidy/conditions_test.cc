// The page that users read about conditions says what the constants in crds/ say.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>

namespace {

namespace fs = std::filesystem;

const fs::path root = ATELIER_SOURCE_DIR;

std::string read(const fs::path& file) {
    std::ifstream in(file);
    std::stringstream out;
    out << in.rdbuf();
    return out.str();
}

std::set<std::string> matches(const std::string& text, const std::string& pattern) {
    const std::regex regex(pattern);
    std::set<std::string> found;
    for (std::sregex_iterator it(text.begin(), text.end(), regex), end; it != end; ++it) {
        found.insert((*it)[1]);
    }
    return found;
}

struct Names {
    std::set<std::string> conditions;
    std::set<std::string> reasons;
};

// "PluginInstall" -> what crds/plugin_install_conditions.h declares; shared ones: "Every kind".
std::map<std::string, Names> declared() {
    std::map<std::string, Names> out;
    const std::string constant = R"(string_view \w+ =\s+"(\w+)\")";
    for (const auto& entry : fs::directory_iterator(root / "crds")) {
        const std::string name = entry.path().filename();
        if (!name.ends_with("conditions.h")) continue;
        const std::string text = read(entry.path());
        std::smatch match;
        std::string kind = "Every kind";
        if (std::regex_search(text, match, std::regex("of an? (\\w+) \\("))) kind = match[1];
        const std::size_t reasons = text.find("::reason {");
        out[kind].conditions = matches(text.substr(0, reasons), constant);
        out[kind].reasons = matches(text.substr(reasons), constant);
    }
    const std::string meta = read(root / "crds/meta.h");
    const std::size_t begin = meta.find("namespace condition {");
    out["Every kind"].conditions =
        matches(meta.substr(begin, meta.find("}  // namespace condition") - begin), constant);
    return out;
}

std::map<std::string, Names> documented() {
    std::map<std::string, Names> out;
    std::istringstream page(read(root / "docs/reference/conditions.md"));
    std::string kind;
    const std::regex condition(R"(^\| (\w+) \| [^|]+ \|$)");
    const std::regex reason(R"(^\| [\w, ]+ \| (\w+) \| [^|]+ \| [^|]+ \|$)");
    for (std::string line; std::getline(page, line);) {
        std::smatch match;
        if (line.starts_with("## ")) kind = line.substr(3);
        if (line.starts_with("| Condition") || line.starts_with("| On")) continue;
        if (std::regex_match(line, match, condition)) out[kind].conditions.insert(match[1]);
        if (std::regex_match(line, match, reason)) out[kind].reasons.insert(match[1]);
    }
    return out;
}

TEST(Conditions, ThePageAndTheConstantsSayTheSame) {
    const auto code = declared();
    const auto page = documented();
    ASSERT_GE(code.size(), 9u);
    std::set<std::string> kinds;
    for (const auto& [kind, names] : code) kinds.insert(kind);
    for (const auto& [kind, names] : page) kinds.insert(kind);
    for (const std::string& kind : kinds) {
        SCOPED_TRACE(kind);
        ASSERT_TRUE(code.contains(kind)) << "on the page and not in crds/";
        ASSERT_TRUE(page.contains(kind)) << "in crds/ and not on the page";
        EXPECT_EQ(code.at(kind).conditions, page.at(kind).conditions);
        EXPECT_EQ(code.at(kind).reasons, page.at(kind).reasons);
    }
}

// Whoever sets a condition names a constant: a reason that is written out where it is used would
// be missing on the page.
TEST(Conditions, ReasonsAreSetByTheirConstants) {
    const std::regex literal(
        R"(set_condition\((?:[^;"]|\n)*?ConditionStatus::\w+,\s*"(\w+)\"|\b(?:yes|no|unknown)\((?:type|condition::\w+|crds::condition::\w+),\s*"(\w+)\")");
    for (const auto& entry : fs::recursive_directory_iterator(root / "reconcilers")) {
        if (entry.path().extension() != ".cc") continue;
        // Org and OrgTemplate still write some of theirs out.
        if (entry.path().parent_path().filename().string().starts_with("org")) continue;
        const std::string text = read(entry.path());
        std::smatch match;
        EXPECT_FALSE(std::regex_search(text, match, literal))
            << entry.path() << ": " << match.str();
    }
}

// The first error of the compiler becomes the reason of Rendered.
TEST(Conditions, ReasonsOfTheCompilerAreKnown) {
    const Names known = declared().at("OrgTemplate");
    const std::regex error(R"(\berror\(\s*[^";]*"([A-Z]\w+)\"|return "([A-Z][a-z]\w+)\";)");
    for (const auto& entry : fs::recursive_directory_iterator(root / "templates")) {
        if (entry.path().extension() != ".cc") continue;
        const std::string text = read(entry.path());
        for (std::sregex_iterator it(text.begin(), text.end(), error), end; it != end; ++it) {
            const std::string reason = (*it)[1].matched ? (*it)[1] : (*it)[2];
            EXPECT_TRUE(known.reasons.contains(reason)) << entry.path() << ": " << reason;
        }
    }
}

}  // namespace
