#include <gtest/gtest.h>

#include "base/text.h"
#include "templates/cron.h"
#include "templates/env.h"
#include "templates/files.h"
#include "templates/layers.h"
#include "templates/node.h"
#include "templates/redact.h"
#include "templates/tree_files.h"

namespace atelier::templates {
namespace {

std::string text_of(const std::vector<crds::EnvRequirement>& requirements) {
    std::vector<std::string> parts;
    for (const auto& requirement : requirements) parts.push_back(join(requirement.any_of, "|"));
    return join(parts, " ");
}

TEST(EnvRequirements, AreUnited) {
    struct Case {
        const char* name;
        EnvRequirements in;
        const char* required;
        const char* recommended;
    };
    const Case cases[] = {
        {"equal sets once", {{{{"B", "A"}}, {{"A", "B"}}}, {}}, "A|B", ""},
        {"singles first", {{{{"Z", "Y"}}, {{"M"}}}, {}}, "M Y|Z", ""},
        {"a single makes its groups superfluous", {{{{"A", "B"}}, {{"A"}}}, {}}, "A", ""},
        {"in both tiers", {{{{"A"}}}, {{{"A", "C"}}, {{"D"}}}}, "A", "D"},
        {"required beats recommended",
         {{{{"A"}}, {{"B", "C"}}}, {{{"A"}}, {{"C", "B"}}}},
         "A B|C",
         ""},
        {"a recommended single does not weaken a requirement",
         {{{{"A", "B"}}}, {{{"A"}}}},
         "A|B",
         "A"},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        const auto out = united(c.in);
        EXPECT_EQ(text_of(out.required), c.required);
        EXPECT_EQ(text_of(out.recommended), c.recommended);
    }
}

TEST(Cron, HasFiveFields) {
    for (const char* good : {"* * * * *", "*/5 9-17 * * mon-fri", "0 0 1,15 jan *", "59 23 31 12 7",
                             "0 0 * * SUN", "1-10/2 * * * *"}) {
        EXPECT_TRUE(is_cron(good)) << good;
    }
    for (const char* bad : {"", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *",
                            "* * * 13 *", "* * * * 8", "5-1 * * * *", "*/0 * * * *", "a * * * *",
                            "1, * * * *", "@daily", "- * * * *", "+1 * * * *"}) {
        EXPECT_FALSE(is_cron(bad)) << bad;
    }
}

TEST(Redaction, TakesOutWhatLooksLikeASecret) {
    EXPECT_EQ(redacted("plain text, nothing more"), "plain text, nothing more");
    EXPECT_EQ(redacted("export MY_API_KEY=abc now"), "export MY_API_KEY=[redacted] now");
    EXPECT_EQ(redacted("GITEA_TOKEN=x\nB_SECRET=y"), "GITEA_TOKEN=[redacted]\nB_SECRET=[redacted]");
    EXPECT_EQ(redacted("Authorization: Bearer abc.def"), "Authorization: Bearer [redacted]");
    EXPECT_EQ(redacted("use sk-abcdefgh123."), "use [redacted]");
    EXPECT_EQ(redacted("(ctx7_abcdefgh)"), "([redacted]");
    EXPECT_EQ(redacted("AbCdEfGhIjKlMnOpQrStUvWxYz0123456789"), "[redacted]");
    EXPECT_EQ(redacted("/workspace/repository/with/a/long/path/v2"),
              "/workspace/repository/with/a/long/path/v2");
}

TEST(Paths, StayInsideTheTemplate) {
    const auto text = [](std::string_view folder, std::string_view path) {
        const auto resolved = resolve_path(folder, path);
        return resolved ? *resolved : "error: " + resolved.error().message;
    };
    EXPECT_EQ(text("teams", "a.yaml"), "teams/a.yaml");
    EXPECT_EQ(text("teams/x", "../../b/./c.yaml"), "b/c.yaml");
    EXPECT_EQ(text("", "."), "");
    EXPECT_EQ(text("teams", "../../x"), "error: the path leads out of the template");
    EXPECT_EQ(text("teams", "/etc/passwd"),
              "error: the path is absolute: it must be inside the template");
    EXPECT_EQ(text("teams", " "), "error: the path is empty");
}

TEST(Layers, SurviveTheirSecret) {
    EnvLayers layers;
    layers.org = {{"A", "1"}, {"B", "with \"quotes\" and = signs"}};
    layers.nodes["pm"] = {{"C", "ü"}};
    crds::OrgTemplate owner;
    owner.meta.name = "dev";
    owner.meta.uid = "u";
    crds::TemplateRevision revision;
    revision.revision = "r1";
    revision.artifact_digest = "abc";
    crds::TemplateRevision other = revision;
    other.artifact_digest = "abd";
    const auto secret = secret_of_layers(owner, layers, revision);
    ASSERT_TRUE(secret);
    EXPECT_EQ(secret->meta.name, layers_secret_name("dev", revision));
    EXPECT_TRUE(secret->meta.name.starts_with("dev.template-env.")) << secret->meta.name;
    EXPECT_NE(layers_secret_name("dev", revision), layers_secret_name("dev", other));
    EXPECT_TRUE(is_layers_secret_name(secret->meta.name, "dev"));
    EXPECT_FALSE(is_layers_secret_name(secret->meta.name, "de"));
    EXPECT_TRUE(are_layers_of(*secret, revision));
    EXPECT_FALSE(are_layers_of(*secret, other));
    EXPECT_FALSE(are_layers_of(crds::Secret(), revision));
    const auto back = layers_of_secret(*secret);
    ASSERT_TRUE(back);
    EXPECT_EQ(back->org, layers.org);
    EXPECT_EQ(back->nodes, layers.nodes);

    layers.org["BIG"] = std::string(1'000'000, 'x');
    EXPECT_EQ(secret_of_layers(owner, layers, revision).error().code, Code::too_large);
}

// Many links to one folder multiply: the walk has to end all the same.
TEST(TreeFiles, LinksThatMultiplyAreRefused) {
    auto tree = std::make_shared<drivers::Tree>();
    (*tree)["a/x"].bytes = "x";
    for (int i = 0; i < 10; ++i) {
        drivers::File link;
        link.kind = drivers::File::Kind::symlink;
        link.bytes = ".";
        (*tree)["a/l" + std::to_string(i)] = link;
    }
    const auto files = files_of_tree(tree);
    EXPECT_FALSE(files->folder("a"));
}

TEST(TreeFiles, LinksAreFollowedInsideTheTreeOnly) {
    auto tree = std::make_shared<drivers::Tree>();
    (*tree)["real/x"].bytes = "hello";
    const auto link = [&](const std::string& path, const std::string& target) {
        (*tree)[path].kind = drivers::File::Kind::symlink;
        (*tree)[path].bytes = target;
    };
    link("folder", "real");
    link("deep/er", "../folder");
    link("out", "../elsewhere");
    link("absolute", "/etc/passwd");
    link("loop", "loop");
    const auto files = files_of_tree(tree);
    EXPECT_EQ(*files->read("deep/er/x"), "hello");
    EXPECT_EQ(files->read("out/x").error().code, Code::forbidden);
    EXPECT_EQ(files->read("absolute").error().code, Code::forbidden);
    EXPECT_EQ(files->read("loop").error().code, Code::invalid);
    EXPECT_EQ(files->read("real").error().code, Code::invalid);
    EXPECT_EQ(files->read("none").error().code, Code::not_found);
    EXPECT_EQ(files->folder("deep/er")->size(), 1u);
}

}  // namespace
}  // namespace atelier::templates
