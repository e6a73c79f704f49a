// The server's certificate over the years, by a clock of our own.
#include "cmd/certificates.h"

#include <gtest/gtest.h>
#include <pthread.h>

#include <csignal>
#include <filesystem>
#include <future>

#include "apiserver/identity/x509.h"
#include "base/file.h"
#include "cmd/signals.h"
#include "tests/support/process.h"

namespace atelier::cmd {
namespace {

constexpr Duration day = std::chrono::hours(24);

class CertificatesTest : public testing::Test {
  protected:
    Instant end_of(const apiserver::Pki& pki) {
        const auto facts = apiserver::read_key_pair({pki.tls.certificate_pem, pki.tls.key_pem});
        EXPECT_TRUE(facts);
        return facts ? facts->not_after : Instant();
    }
    Certificates::Use taking() {
        return [this](const apiserver::Pki& pki) -> Result<void> {
            if (refuse) return Error{Code::unavailable, "not now"};
            taken.push_back(pki);
            return {};
        };
    }

    support::TemporaryDirectory home;
    SystemClock clock;
    SystemRandom random;
    const Instant start = clock.now();
    Certificates certificates{home.path(), {}, clock, random, Log()};
    std::vector<apiserver::Pki> taken;
    bool refuse = false;
};

TEST_F(CertificatesTest, AreRenewedBeforeTheyEndAndPutIntoUse) {
    const auto first = certificates.current(start);
    ASSERT_TRUE(first);
    Instant now = start;
    // Eleven years of looking now and then: there is never a day without a good certificate.
    std::size_t renewals = 0;
    apiserver::Pki used = *first;
    for (int i = 0; i < 11 * 73; ++i) {
        now += 5 * day;
        const auto renewed = certificates.check(now, taking());
        ASSERT_TRUE(renewed);
        if (*renewed) {
            ++renewals;
            used = taken.back();
        }
        ASSERT_EQ(taken.size(), renewals);
        ASSERT_GT(end_of(used) - now, 24 * day);
        ASSERT_TRUE(apiserver::is_signed_by(used.tls.certificate_pem, used.ca_pem));
    }
    EXPECT_GE(renewals, 11u);
    EXPECT_LE(renewals, 13u);
    EXPECT_NE(used.ca_pem, first->ca_pem) << "after nine years there is another authority, too";
}

TEST_F(CertificatesTest, WhatCouldNotBePutIntoUseIsTriedAgain) {
    ASSERT_TRUE(certificates.current(start));
    refuse = true;
    EXPECT_FALSE(certificates.check(start + 340 * day, taking()));
    refuse = false;
    const auto renewed = certificates.check(start + 341 * day, taking());
    ASSERT_TRUE(renewed);
    EXPECT_TRUE(*renewed);
    EXPECT_FALSE(*certificates.check(start + 342 * day, taking()));
    EXPECT_EQ(taken.size(), 1u);
}

TEST_F(CertificatesTest, FilesThatSomebodyChangedAreReadAgain) {
    ASSERT_TRUE(certificates.current(start));
    std::filesystem::remove(home.path() / "pki" / "server.crt");
    const auto renewed = certificates.check(start + day, taking());
    ASSERT_TRUE(renewed);
    EXPECT_TRUE(*renewed);
    ASSERT_TRUE(write_file_atomically(home.path() / "pki" / "server.crt", "nonsense", 0644));
    EXPECT_TRUE(*certificates.check(start + 2 * day, taking())) << "it is made anew";
    EXPECT_EQ(*read_file(home.path() / "pki" / "server.crt.damaged"), "nonsense");
    EXPECT_TRUE(std::filesystem::exists(home.path() / "pki" / "server.key.damaged"));
    ASSERT_TRUE(write_file_atomically(home.path() / "pki" / "ca.crt", "nonsense", 0644));
    EXPECT_FALSE(certificates.check(start + 3 * day, taking())) << "an authority is not replaced";
    EXPECT_EQ(taken.size(), 2u);
}

TEST_F(CertificatesTest, Fault04_SighupHasTheFilesReadAgain) {
    Signals signals;
    ASSERT_TRUE(certificates.current(start));
    std::promise<void> used;
    certificates.keep([&](const apiserver::Pki&) -> Result<void> {
        used.set_value();
        return {};
    });
    std::filesystem::remove(home.path() / "pki/server.crt");
    std::filesystem::remove(home.path() / "pki/server.key");
    pthread_kill(pthread_self(), SIGHUP);
    ASSERT_EQ(signals.wait(), SIGHUP) << "it does not end the process";
    certificates.check_now();
    EXPECT_EQ(used.get_future().wait_for(std::chrono::seconds(20)), std::future_status::ready);
    signals.release();
}

}  // namespace
}  // namespace atelier::cmd
