#include "base/result.h"

#include <gtest/gtest.h>

#include <memory>

#include "base/environment.h"
#include "base/metrics.h"
#include "base/random.h"

namespace atelier {
namespace {

Result<int> half(int n) {
    if (n % 2 != 0) return Error{Code::invalid, "odd"};
    return n / 2;
}

Result<std::unique_ptr<int>> quarter(int n) {
    const int once = TRY(half(n));
    return std::make_unique<int>(TRY(half(once)));
}

Result<void> both(int n) {
    TRY(quarter(n));
    return {};
}

TEST(Result, TryReturnsTheFirstError) {
    EXPECT_EQ(**quarter(12), 3);
    EXPECT_EQ(quarter(6).error().message, "odd");
    EXPECT_TRUE(both(4));
    EXPECT_FALSE(both(2));
    const Error error{Code::timeout, "no answer", "10.0.0.1", {{"f", "r", "m"}}};
    const Error outer = error.in("fetch");
    EXPECT_EQ(outer.message, "fetch: no answer");
    EXPECT_EQ(outer.code, Code::timeout);
    EXPECT_EQ(outer.detail, "10.0.0.1");
    EXPECT_EQ(outer.causes.size(), 1u);
    EXPECT_EQ(name_of(Code::already_exists), "already exists");
}

TEST(Random, IsUniformEnoughAndRepeats) {
    SeededRandom a(9), b(9);
    EXPECT_EQ(uuid4(a), uuid4(b));
    const std::string id = uuid4(a);
    EXPECT_EQ(id.size(), 36u);
    EXPECT_EQ(id[14], '4');
    EXPECT_NE(std::string_view("89ab").find(id[19]), std::string_view::npos);
    std::map<char, int> counts;
    for (const char c : random_text(a, 10'000, "abc")) ++counts[c];
    ASSERT_EQ(counts.size(), 3u);
    for (const auto& [letter, count] : counts) EXPECT_NEAR(count, 3333, 300) << letter;
    for (int i = 0; i < 1000; ++i) {
        const double x = unit_interval(a);
        EXPECT_GE(x, 0);
        EXPECT_LT(x, 1);
    }
    SystemRandom system;
    EXPECT_NE(system.next(), system.next());
}

TEST(Environment, IsAValue) {
    const Environment environment({{"A", "1"}, {"EMPTY", ""}});
    EXPECT_EQ(environment.get("A"), "1");
    EXPECT_EQ(environment.get("B", "x"), "x");
    EXPECT_EQ(environment.find("EMPTY"), "");
    EXPECT_EQ(environment.find("B"), std::nullopt);
}

TEST(Metrics, TheSameSeriesIsOne) {
    Metrics metrics;
    metrics.counter("atelier_things_total", "Things.", {{"kind", "a"}}).add(1);
    metrics.counter("atelier_things_total", "Things.", {{"kind", "a"}}).add(2);
    metrics.gauge("atelier_depth", "Depth.", {}).set(4);
    int scrapes = 0;
    metrics.before_scrape([&] { ++scrapes; });
    const std::string text = metrics.text();
    EXPECT_NE(text.find("atelier_things_total{kind=\"a\"} 3"), std::string::npos) << text;
    EXPECT_NE(text.find("atelier_depth 4"), std::string::npos);
    EXPECT_EQ(scrapes, 1);
}

}  // namespace
}  // namespace atelier
