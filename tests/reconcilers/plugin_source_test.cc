#include <gtest/gtest.h>

#include "reconcilers/plugin/source.h"

namespace atelier::reconcilers {
namespace {

TEST(PluginSource, HasARepository) {
    const auto url = [](const char* source) {
        const auto parsed = crds::parse_plugin_source(source);
        EXPECT_TRUE(parsed) << source;
        return repository_url(*parsed, "https://gh.test/");
    };
    EXPECT_EQ(url("github://acme/reviewer#v1"), "https://gh.test/acme/reviewer.git");
    EXPECT_EQ(url("github://acme/reviewer.git#v1"), "https://gh.test/acme/reviewer.git");
    EXPECT_EQ(url("git+http://127.0.0.1:7480/r.git#main"), "http://127.0.0.1:7480/r.git");
    EXPECT_EQ(url("local://reviewer"), "");
}

TEST(Version, IsSemantic) {
    const auto compare = [](const char* a, const char* b) {
        const auto x = parse_version(a);
        const auto y = parse_version(b);
        EXPECT_TRUE(x && y) << a << b;
        return *x < *y;
    };
    EXPECT_TRUE(compare("1.2.3", "v1.2.4"));
    EXPECT_TRUE(compare("v1.9.0", "v1.10.0"));
    EXPECT_TRUE(compare("v0.99.99", "1.0.0"));
    for (const char* bad : {"", "v", "1", "1.2", "1.2.3.4", "1.2.x", "v-1.2.3", "1.2.3-", "+1.2.3",
                            "1..3", "99999999999999999999.0.0", "vv1.2.3"}) {
        EXPECT_FALSE(parse_version(bad)) << bad;
    }
    EXPECT_TRUE(parse_version("1.2.3-rc.1")->pre_release);
    EXPECT_FALSE(parse_version("1.2.3+build-7")->pre_release);
}

TEST(PluginTrack, LeadsToOneCommit) {
    const std::string a(40, 'a'), b(40, 'b'), c(40, 'c');
    const std::vector<drivers::GitRef> refs = {{"HEAD", a},
                                               {"refs/heads/main", a},
                                               {"refs/heads/v9.9.9", c},
                                               {"refs/tags/v1.9.0", a},
                                               {"refs/tags/v1.10.0", b},
                                               {"refs/tags/v2.0.0-rc.1", c},
                                               {"refs/tags/nightly", c},
                                               {"refs/tags/1.10.0", a}};
    const auto text = [](const Result<drivers::GitRef>& ref) {
        return ref ? ref->name + " " + ref->commit.substr(0, 1)
                   : std::string(name_of(ref.error().code));
    };
    const auto track = [&](const std::string& t) {
        return text(resolve_track(refs, *crds::parse_track(t), "nightly"));
    };
    EXPECT_EQ(track("none"), "nightly c");
    EXPECT_EQ(track("tag:v1.9.0"), "v1.9.0 a");
    EXPECT_EQ(track("tag:latest"), "v1.10.0 b");
    EXPECT_EQ(track("branch:main"), "main a");
    EXPECT_EQ(track("branch:v1.9.0"), "not found");
    EXPECT_EQ(track("tag:main"), "not found");
    EXPECT_EQ(track("sha:" + c), " c");
    EXPECT_EQ(text(resolve_track({{"refs/tags/nightly", a}}, *crds::parse_track("tag:latest"), "")),
              "not found");
    EXPECT_EQ(text(resolve_source(refs, "nightly")), "nightly c");
    EXPECT_EQ(text(resolve_source(refs, "")), "HEAD a");
    EXPECT_EQ(text(resolve_source(refs, c)), " c");
}

TEST(PluginTrack, Fault24_NoHigherTagIsPassedOverInSilence) {
    const std::string a(40, 'a'), b(40, 'b'), c(40, 'c');
    const auto latest = [&](const std::vector<std::string>& names) {
        std::vector<drivers::GitRef> refs;
        for (const std::string& name : names) refs.push_back({"refs/tags/" + name, a});
        const auto ref = resolve_track(refs, *crds::parse_track("tag:latest"), "");
        if (!ref) return ref.error().message;
        const std::string passed = passed_over(refs, ref->name);
        return ref->name + (passed.empty() ? "" : ": " + passed);
    };
    EXPECT_EQ(latest({"v2025.12.31", "v2026.01.05", "v2026.1.4"}), "v2026.01.05");
    EXPECT_EQ(latest({"v1.0.0", "v0.9.0-rc.1", "v1.0.0-rc.2", "nightly", "2"}), "v1.0.0");
    EXPECT_EQ(
        latest({"v1.0.0", "v2.0.0-rc.1", "v1.2", "v1.1.0.1"}),
        "v1.0.0: tag:latest does not take higher tags: v2.0.0-rc.1 is a pre-release, v1.2 has "
        "not three numbers, v1.1.0.1 has not three numbers; to use one, track tag:NAME");
    EXPECT_EQ(
        latest({"v2.0.0-rc.1", "main"}),
        "no tag of the repository is a release such as v1.2.3; tag:latest does not take higher "
        "tags: v2.0.0-rc.1 is a pre-release; to use one, track tag:NAME");
    EXPECT_EQ(latest({"nightly"}), "no tag of the repository is a release such as v1.2.3");
}

}  // namespace
}  // namespace atelier::reconcilers
