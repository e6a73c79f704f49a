// How a revision of a template is named.
#include "crds/template_revision.h"

#include <gtest/gtest.h>

namespace atelier::crds {
namespace {

TemplateRevision revision(std::string name, char digit) {
    TemplateRevision out;
    out.revision = std::move(name);
    out.artifact_digest = std::string(64, digit);
    return out;
}

const std::string first = "1111111aaaa" + std::string(29, '0');
const std::string second = "1111111bbbb" + std::string(29, '0');
// One commit that compiled to two artifacts, since another repository moved in between.
const std::vector<TemplateRevision> history = {revision(second, 'd'), revision(second, 'c'),
                                               revision(first, 'b'), revision("main", 'a')};

TEST(FindRevision, ByARevisionOrADigestWholeOrABeginningOfIt) {
    struct Case {
        std::string text;
        const char* running;  // the first digit of the artifact
        const char* expected;
    };
    const Case cases[] = {
        {first, "", "b"},
        {"1111111aa", "", "b"},
        {"1111111bb", "", "d"},
        {"1111111bb", "c", "c"},
        {"1111111bb", "b", "d"},
        {"111111", "", "none"},
        {"1111111", "", "several"},
        {"1111111", "b", "several"},
        {"main", "", "a"},
        {"mai", "", "none"},
        {std::string(64, 'c'), "", "c"},
        {std::string(12, 'c'), "", "c"},
        {std::string(11, 'c'), "", "none"},
        {"sha256:" + std::string(12, 'a'), "", "a"},
        {"sha256:" + first, "", "none"},
        {std::string(65, 'c'), "", "none"},
        {"", "", "none"},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.text);
        const std::string running = *c.running ? std::string(64, *c.running) : "";
        const auto found = find_revision(history, c.text, running);
        if (found) {
            EXPECT_EQ(std::string(1, found->artifact_digest[0]), c.expected);
            continue;
        }
        EXPECT_EQ(found.error().code, Code::not_found);
        const bool several = found.error().message.find("several") != std::string::npos;
        EXPECT_STREQ(several ? "several" : "none", c.expected);
        EXPECT_NE(found.error().message.find("it has 1111111bbbb0, 1111111bbbb0, 1111111aaaa0"),
                  std::string::npos)
            << found.error().message;
    }
    EXPECT_EQ(find_revision({}, "main").error().message,
              "the template has no revision \"main\": it has none yet");
}

TEST(PersonOfRevision, CountsForThatRevisionAlone) {
    Org org;
    org.spec.revision = "r2";
    const auto says = [&](const std::string& text) {
        org.meta.annotations[std::string(annotation::revision_by)] = text;
        return person_of_revision(org);
    };
    EXPECT_EQ(person_of_revision(org), "api");
    EXPECT_EQ(says(revision_by_text("r2", "Ada Lovelace")), "Ada Lovelace");
    EXPECT_EQ(says(revision_by_text("r1", "Ada")), "api") << "pinned anew by somebody else";
    EXPECT_EQ(says("r2"), "api");
    EXPECT_EQ(says("r2 "), "api");
    EXPECT_EQ(says("r2 a\nb"), "api");
    EXPECT_EQ(says("r2 " + std::string(101, 'a')), "api");
}

}  // namespace
}  // namespace atelier::crds
