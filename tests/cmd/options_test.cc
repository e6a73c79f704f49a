#include "cmd/options.h"

#include <gtest/gtest.h>

namespace atelier::cmd {
namespace {

Result<ParsedOptions> parse(const std::vector<std::string>& arguments,
                            std::map<std::string, std::string, std::less<>> environment = {}) {
    environment.try_emplace("HOME", "/home/someone");
    return parse_server_options(arguments, Environment(std::move(environment)));
}

TEST(ServerOptions, ExternalRepositoriesByFlagOrByTheOldNames) {
    const auto usual = parse({});
    ASSERT_TRUE(usual);
    EXPECT_EQ(usual->options.external.policy.host, "");
    EXPECT_EQ(usual->options.external.policy.allow, std::vector<std::string>{})
        << "fault 13: no foreign host is trusted by default";
    EXPECT_EQ(usual->options.external.token, "");

    const auto old = parse({}, {{"MOLECULE_EXTERNAL_GITEA_URL", "git.example.com"},
                                {"MOLECULE_EXTERNAL_REPO_ALLOWLIST", "git.example.com/a,h/b/*"},
                                {"MOLECULE_GITEA_TOKEN", "old"}});
    ASSERT_TRUE(old);
    EXPECT_EQ(old->options.external.policy.host, "git.example.com");
    EXPECT_EQ(old->options.external.policy.allow,
              (std::vector<std::string>{"git.example.com/a", "h/b/*"}));
    EXPECT_EQ(old->options.external.token, "old");

    const auto flags = parse({"--external-host", "http://127.0.0.1:3000", "--external-allow",
                              "http://127.0.0.1:3000/a", "--external-allow", "h.example"},
                             {{"MOLECULE_EXTERNAL_GITEA_URL", "git.example.com"},
                              {"MOLECULE_GITEA_TOKEN", "old"},
                              {"ATELIER_EXTERNAL_TOKEN", "new"}});
    ASSERT_TRUE(flags);
    EXPECT_EQ(flags->options.external.policy.host, "http://127.0.0.1:3000");
    EXPECT_EQ(flags->options.external.policy.allow.front(), "http://127.0.0.1:3000/a");
    EXPECT_EQ(flags->options.external.token, "new");
}

TEST(ServerOptions, Fault10_HistoryIsAnAgeASizeOrBoth) {
    EXPECT_EQ(parse({})->options.history_age, std::chrono::minutes(10));
    EXPECT_EQ(parse({})->options.history_bytes, std::size_t{256} << 20);
    EXPECT_EQ(parse({"--history", "1h"})->options.history_age, std::chrono::hours(1));
    const auto both = parse({"--history", "64Mi,90s"});
    EXPECT_EQ(both->options.history_age, std::chrono::seconds(90));
    EXPECT_EQ(both->options.history_bytes, std::size_t{64} << 20);
    for (const char* wrong : {"", "10", "0Mi", "-1Mi", "1.5Gi", "ten", "10m,", "0s"}) {
        EXPECT_EQ(parse({"--history", wrong}).error().code, Code::invalid) << wrong;
    }
}

TEST(ServerOptions, ExternalRepositoriesThatHaveNoMeaningAreRefused) {
    EXPECT_EQ(parse({"--external-allow", "*"}).error().code, Code::invalid);
    EXPECT_EQ(parse({"--external-host", "user@h"}).error().code, Code::invalid);
}

}  // namespace
}  // namespace atelier::cmd
