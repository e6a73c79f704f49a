#include <gtest/gtest.h>

#include "base/digest.h"
#include "base/text.h"
#include "reconcilers/plugin/content.h"

namespace atelier::reconcilers {
namespace {

using drivers::File;
using drivers::Tree;

Tree tree(std::initializer_list<std::pair<const char*, const char*>> files) {
    Tree out;
    for (const auto& [path, bytes] : files) out[path] = {File::Kind::regular, false, bytes};
    return out;
}

TEST(PluginContent, Scenario24TheMarkerIsOursAndLinksThatLeadOutAreRefused) {
    const auto cleaned = clean(tree({{"a", "1"},
                                     {".complete", "x"},
                                     {".git/HEAD", "x"},
                                     {"sub/.complete", "y"},
                                     {"sub/.git/config", "z"}}));
    ASSERT_TRUE(cleaned);
    std::string paths;
    for (const auto& [path, file] : *cleaned) paths += path + " ";
    EXPECT_EQ(paths, "a sub/.complete ");

    Tree link = tree({{"a", "1"}});
    link["skills/x"] = {File::Kind::symlink, false, "../../etc/passwd"};
    const auto refused = clean(link);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::invalid);
    EXPECT_NE(refused.error().message.find("skills/x"), std::string::npos);
    EXPECT_EQ(refused.error().message.find("passwd"), std::string::npos);
    EXPECT_FALSE(clean(tree({{"../x", "1"}})));
    EXPECT_FALSE(clean(tree({{".complete", "x"}})));
}

// obra/superpowers has one link at its root: AGENTS.md -> CLAUDE.md.
TEST(PluginContent, Fault26_LinksInsideTheTreeAreFollowed) {
    Tree files = tree({{"CLAUDE.md", "doc"}, {"skills/s/SKILL.md", "body"}});
    const auto link = [](const std::string& target) {
        return File{File::Kind::symlink, false, target};
    };
    files["AGENTS.md"] = link("CLAUDE.md");
    files["agent/skills"] = link("../skills");
    const auto cleaned = clean(files);
    ASSERT_TRUE(cleaned) << cleaned.error().message;
    EXPECT_EQ(cleaned->at("AGENTS.md").bytes, "doc");
    EXPECT_EQ(cleaned->at("agent/skills/s/SKILL.md").bytes, "body");
    EXPECT_EQ(cleaned->size(), 4u);
    const auto why = [&](const std::string& target) {
        Tree bad = files;
        bad.erase("agent/skills");  // else the same link is found there first
        bad["skills/x"] = link(target);
        const auto refused = clean(bad);
        if (refused) return std::string("taken");
        EXPECT_EQ(refused.error().code, Code::invalid);
        return refused.error().message;
    };
    EXPECT_EQ(why("../../etc/passwd"), "the symbolic link skills/x leads out of the plugin");
    EXPECT_EQ(why("/etc/passwd"), "the symbolic link skills/x leads out of the plugin");
    EXPECT_EQ(why("none.md"), "the symbolic link skills/x points to nothing");
    EXPECT_NE(why("x").find("skills/x"), std::string::npos) << "a loop";
    EXPECT_NE(why("..").find("loop"), std::string::npos);
}

TEST(PluginContent, DeclaredIntegrityMustHold) {
    Tree files = tree({{"plugin.yaml", "name: x\n"}, {"b", "2"}});
    EXPECT_TRUE(verify(files, ""));
    EXPECT_TRUE(verify(files, sha256_hex("name: x\n")));
    EXPECT_FALSE(verify(files, sha256_hex("name: y\n")));
    EXPECT_FALSE(verify(tree({{"b", "2"}}), sha256_hex("name: x\n")));

    const std::string digest =
        sha256_hex(std::string("b\0002", 3) + std::string("plugin.yaml\0", 12) + "name: x\n");
    EXPECT_EQ(manifest_json_digest(files), digest);
    const auto with = [&](const std::string& manifest) {
        Tree t = files;
        t["manifest.json"].bytes = manifest;
        return static_cast<bool>(verify(t, ""));
    };
    EXPECT_TRUE(with(R"({"sha256":")" + digest + R"("})"));
    std::string upper = digest;
    for (char& c : upper) c = static_cast<char>(toupper(c));
    EXPECT_TRUE(with(R"({"sha256":")" + upper + R"("})"));
    EXPECT_TRUE(with(R"({"other":1})"));
    EXPECT_FALSE(with(R"({"sha256":")" + std::string(64, '0') + R"("})"));
    EXPECT_FALSE(with(R"({"sha256":5})"));
    EXPECT_FALSE(with("not json"));
    EXPECT_FALSE(with("[]"));
}

TEST(PluginContent, SaysWhatAPluginCanDo) {
    Tree files =
        tree({{"plugin.yaml", "name: x\nversion: 1.2\nruntimes: [claude-code, 5, langgraph]\n"},
              {"skills/review/SKILL.md", "a"},
              {"skills/review/more.md", "b"},
              {"skills/empty/readme.md", "c"},
              {"rules/no-secrets.md", "d"},
              {"commands/deploy.md", "e"},
              {"hooks/sub/pre.sh", "f"},
              {"setup.sh", "g"}});
    files["setup.sh"].executable = true;
    files["hooks/sub/pre.sh"].executable = true;
    const PluginContent content = inspect(files);
    const crds::PluginCapabilities& c = content.capabilities;
    EXPECT_EQ(content.version, "1.2");
    EXPECT_EQ(join(c.skills, " "), "review");
    EXPECT_EQ(join(c.rules, " "), "no-secrets");
    EXPECT_EQ(join(c.commands, " "), "deploy");
    EXPECT_EQ(join(c.hooks, " "), "sub/pre.sh");
    EXPECT_EQ(join(c.executables, " "), "hooks/sub/pre.sh setup.sh");
    EXPECT_EQ(join(c.runtimes, " "), "claude_code langgraph");
    EXPECT_EQ(c.files, 8);
    EXPECT_TRUE(content.warnings.empty());
}

TEST(PluginContent, ToleratesAMalformedPluginYaml) {
    for (const char* yaml : {"a: [1", "- 1\n", "", "version: {}\n", "a: &x [*x]\n"}) {
        const PluginContent content = inspect(tree({{"plugin.yaml", yaml}, {"rules/a.md", "x"}}));
        EXPECT_EQ(content.warnings.size(), 1u) << yaml;
        EXPECT_EQ(join(content.capabilities.rules, " "), "a");
    }
    EXPECT_EQ(inspect(tree({{"a", "1"}})).warnings.size(), 1u);
}

}  // namespace
}  // namespace atelier::reconcilers
