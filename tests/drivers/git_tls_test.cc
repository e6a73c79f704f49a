// The git driver over TLS: whom it trusts, and what it says when it does not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "apiserver/identity/x509.h"
#include "base/file.h"
#include "drivers/git/git.h"
#include "tests/support/process.h"

namespace atelier::drivers {
namespace {

using apiserver::KeyPair;
using std::chrono::hours;
using support::GitServer;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr Duration a_year = hours(24 * 365);

class GitTls : public testing::Test {
  protected:
    GitTls() : repository_(directory_.path() / "served" / "r.git") {
        commit_ = repository_.commit({{"plugin.yaml", "name: r\n"}});
        auto git = open_git(directory_.path() / "cache", {}, clock_, Log());
        CHECK(git);
        git_ = *std::move(git);
    }
    KeyPair authority(const std::string& name) {
        return *apiserver::make_ca(name, clock_.now(), 10 * a_year, random_);
    }
    // A server whose certificate was made `ago`, for a year.
    std::unique_ptr<GitServer> serve(const KeyPair& ca,
                                     const std::vector<std::string>& names = {"127.0.0.1"},
                                     const std::string& token = {}, Duration ago = {}) {
        const auto pair =
            apiserver::make_server_certificate(ca, names, clock_.now() - ago, a_year, random_);
        CHECK(pair);
        const auto file = directory_.path() / "server.pem";
        CHECK(write_file_atomically(file, pair->certificate_pem + pair->key_pem, 0600));
        return std::make_unique<GitServer>(directory_.path() / "served", token, false, file);
    }
    // What comes of looking at the refs: "ok", or the code and the words.
    std::string refs(const GitServer& server, const std::string& ca_pem,
                     const std::optional<GitCredential>& credential = {}) {
        const auto refs = git_->refs({server.url("r.git"), credential, ca_pem});
        if (refs) return "ok";
        const Error& error = refs.error();
        EXPECT_THAT(error.message, HasSubstr(server.url("r.git")));
        EXPECT_THAT(error.message, Not(HasSubstr("SSL")));  // the library's words are for the log
        EXPECT_THAT(error.message + error.detail, Not(HasSubstr("t0p-secret")));
        return std::string(name_of(error.code)) + ": " + error.message;
    }

    SystemClock clock_;
    SystemRandom random_;
    support::TemporaryDirectory directory_;
    support::Repository repository_;
    std::string commit_;
    std::unique_ptr<Git> git_;
};

TEST_F(GitTls, TrustsTheAuthorityThatTheRemoteNames) {
    const KeyPair ca = authority("ours");
    const auto server = serve(ca);
    EXPECT_EQ(refs(*server, ca.certificate_pem), "ok");
    const auto tree = git_->fetch({server->url("r.git"), {}, ca.certificate_pem}, commit_, "");
    ASSERT_TRUE(tree) << tree.error().message;
    EXPECT_EQ((*tree)->at("plugin.yaml").bytes, "name: r\n");
    // One of several is enough.
    const std::string both = authority("another").certificate_pem + ca.certificate_pem;
    EXPECT_EQ(refs(*server, both), "ok");
}

TEST_F(GitTls, SendsTheCredentialOnlyToWhomItTrusts) {
    const KeyPair ca = authority("ours");
    const auto server = serve(ca, {"127.0.0.1"}, "t0p-secret");
    const GitCredential token{"", "t0p-secret", ""};
    const GitCredential basic{"somebody", "t0p-secret", ""};
    EXPECT_THAT(refs(*server, "", token), HasSubstr("certificate is not trusted"));
    EXPECT_THAT(server->requests(), IsEmpty());

    EXPECT_EQ(refs(*server, ca.certificate_pem, token), "ok");
    EXPECT_EQ(refs(*server, ca.certificate_pem, basic), "ok");
    EXPECT_THAT(refs(*server, ca.certificate_pem), HasSubstr("wants a credential"));
    EXPECT_THAT(refs(*server, ca.certificate_pem, GitCredential{"", "wrong", ""}),
                HasSubstr("refuses the credential"));
}

TEST_F(GitTls, SaysWhyACertificateWillNotDo) {
    const KeyPair ca = authority("ours");
    {
        const auto server = serve(ca);
        EXPECT_THAT(refs(*server, ""), HasSubstr("add its CA as ca.crt to the Secret"));
        EXPECT_THAT(refs(*server, authority("another").certificate_pem),
                    HasSubstr("add its CA as ca.crt to the Secret"));
        EXPECT_THAT(refs(*server, "-----BEGIN CERTIFICATE-----\nbm8=\n-----END CERTIFICATE-----\n"),
                    HasSubstr("invalid: "));
        EXPECT_THAT(server->requests(), IsEmpty());
    }
    {
        const auto server = serve(ca, {"127.0.0.1"}, "", 2 * a_year);
        EXPECT_THAT(refs(*server, ca.certificate_pem), HasSubstr("has expired"));
        EXPECT_THAT(server->requests(), IsEmpty());
    }
    {
        const auto server = serve(ca, {"127.0.0.1"}, "", -2 * a_year);
        EXPECT_THAT(refs(*server, ca.certificate_pem), HasSubstr("is not valid yet"));
        EXPECT_THAT(server->requests(), IsEmpty());
    }
    {
        const auto server = serve(ca, {"git.example.org"});
        EXPECT_THAT(refs(*server, ca.certificate_pem), HasSubstr("another name"));
        EXPECT_THAT(server->requests(), IsEmpty());
    }
}

TEST_F(GitTls, TellsAServerWithoutTls) {
    const GitServer server(directory_.path() / "served");
    std::string url = server.url("r.git");
    url.insert(url.find(':'), "s");
    const auto refs = git_->refs({url, {}, {}});
    ASSERT_FALSE(refs);
    EXPECT_EQ(refs.error().code, Code::unavailable);
    EXPECT_THAT(refs.error().message, HasSubstr("no TLS connection"));
}

}  // namespace
}  // namespace atelier::drivers
