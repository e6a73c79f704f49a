#include "reconcilers/common/classify.h"

#include <gtest/gtest.h>

#include "base/fields.h"

namespace atelier::reconcilers {
namespace {

// "path=content" or "path=content!" for an executable.
drivers::Manifest manifest(std::initializer_list<std::string_view> files) {
    drivers::Tree tree;
    for (std::string_view text : files) {
        const bool executable = text.ends_with('!');
        if (executable) text.remove_suffix(1);
        const std::size_t at = text.find('=');
        tree[std::string(text.substr(0, at))] = {drivers::File::Kind::regular, executable,
                                                 std::string(text.substr(at + 1))};
    }
    return drivers::manifest_of(tree);
}

std::string text(const drivers::Manifest& live, const drivers::Manifest& next) {
    std::string out(json::name_of(classify(live, next)));
    for (const FileChange& change : changes(live, next)) out += ", " + change.text();
    return out;
}

TEST(Classify, FollowsFromTheTwoTrees) {
    struct Case {
        const char* name;
        drivers::Manifest live;
        drivers::Manifest next;
        const char* expected;
    };
    const Case cases[] = {
        {"no live tree", {}, manifest({"plugin.yaml=a"}), "Cold, A plugin.yaml"},
        {"the same", manifest({"a=1", "b=2!"}), manifest({"a=1", "b=2!"}), "None"},
        {"a skill's text", manifest({"plugin.yaml=a", "skills/x/SKILL.md=1"}),
         manifest({"plugin.yaml=a", "skills/x/SKILL.md=2"}), "Hot, M skills/x/SKILL.md"},
        {"two skills", manifest({"skills/x/SKILL.md=1", "skills/y/SKILL.md=1"}),
         manifest({"skills/x/SKILL.md=2", "skills/y/SKILL.md=2"}),
         "Hot, M skills/x/SKILL.md, M skills/y/SKILL.md"},
        {"a skill becomes executable", manifest({"skills/x/SKILL.md=1"}),
         manifest({"skills/x/SKILL.md=1!"}), "Cold, M skills/x/SKILL.md"},
        {"a skill added", manifest({"skills/x/SKILL.md=1"}),
         manifest({"skills/x/SKILL.md=1", "skills/y/SKILL.md=1"}), "Cold, A skills/y/SKILL.md"},
        {"a skill removed", manifest({"skills/x/SKILL.md=1", "skills/y/SKILL.md=1"}),
         manifest({"skills/x/SKILL.md=1"}), "Cold, D skills/y/SKILL.md"},
        {"a hook beside a skill", manifest({"hooks/h=1!", "skills/x/SKILL.md=1"}),
         manifest({"hooks/h=2!", "skills/x/SKILL.md=2"}), "Cold, M hooks/h, M skills/x/SKILL.md"},
        {"only the mode of a hook", manifest({"hooks/h=1"}), manifest({"hooks/h=1!"}),
         "Cold, M hooks/h"},
        {"another case of the name", manifest({"skills/x/skill.md=1"}),
         manifest({"skills/x/skill.md=2"}), "Cold, M skills/x/skill.md"},
        {"a name that ends so", manifest({"skills/MYSKILL.md=1"}),
         manifest({"skills/MYSKILL.md=2"}), "Cold, M skills/MYSKILL.md"},
        {"our marker", manifest({".complete=1", "a=1"}), manifest({"a=1"}), "None"},
        {"a skill renamed", manifest({"skills/x/SKILL.md=1"}), manifest({"skills/y/SKILL.md=1"}),
         "Cold, D skills/x/SKILL.md, A skills/y/SKILL.md"},
        {"all gone", manifest({"a=1"}), {}, "Cold, D a"},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        EXPECT_EQ(text(c.live, c.next), c.expected);
    }
}

}  // namespace
}  // namespace atelier::reconcilers
