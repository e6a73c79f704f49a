#include "base/clock.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace atelier {
namespace {

using std::chrono::microseconds;
using std::chrono::seconds;

TEST(Clock, Rfc3339) {
    const std::tuple<std::string_view, std::int64_t, std::int64_t> rows[] = {
        {"1970-01-01T00:00:00Z", 0, 0},
        {"2026-01-31T12:00:00Z", 1769860800, 0},
        {"2026-01-31T12:00:00.5Z", 1769860800, 500000},
        {"2026-01-31T12:00:00.123456789Z", 1769860800, 123456},
        {"2026-01-31T14:30:00+02:30", 1769860800, 0},
        {"2026-01-31t04:00:00-08:00", 1769860800, 0},
        {"2024-02-29T00:00:00Z", 1709164800, 0},
        {"1969-12-31T23:59:59Z", -1, 0},
    };
    for (const auto& [text, whole, micros] : rows) {
        const auto instant = parse_rfc3339(text);
        ASSERT_TRUE(instant) << text;
        EXPECT_EQ(*instant, Instant(seconds(whole) + microseconds(micros))) << text;
    }
    for (const std::string_view text :
         {"", "now", "2026-01-31", "2026-01-31T12:00:00", "2026-13-01T00:00:00Z",
          "2026-02-29T00:00:00Z", "2026-01-31T24:00:00Z", "2026-01-31T12:60:00Z",
          "2026-01-31T12:00:00.Z", "2026-01-31T12:00:00+0200", "2026-01-31T12:00:00Zx",
          "2026-1-31T12:00:00Z"}) {
        EXPECT_FALSE(parse_rfc3339(text)) << text;
    }
}

TEST(Clock, WrittenTimesAreReadBack) {
    SeededRandom random(5);
    for (int i = 0; i < 1000; ++i) {
        const Instant instant{
            microseconds(static_cast<std::int64_t>(random.next() % 4'000'000'000'000'000))};
        EXPECT_EQ(*parse_rfc3339(rfc3339_micro(instant)), instant);
        EXPECT_EQ(*parse_rfc3339(rfc3339(instant)), std::chrono::floor<seconds>(instant));
    }
    EXPECT_EQ(compact_stamp(Instant(seconds(1769860800))), "20260131T120000Z");
    EXPECT_EQ(rfc3339_micro(Instant(microseconds(7))), "1970-01-01T00:00:00.000007Z");
}

TEST(Clock, Durations) {
    const std::pair<std::string_view, std::int64_t> rows[] = {
        {"0", 0},     {"300ms", 300'000},    {"1h30m", 5'400'000'000}, {"1.5s", 1'500'000},
        {"10us", 10}, {"-5m", -300'000'000}, {"1m0s", 60'000'000},
    };
    for (const auto& [text, micros] : rows) {
        const auto duration = parse_duration(text);
        ASSERT_TRUE(duration) << text;
        EXPECT_EQ(duration->count(), micros) << text;
        EXPECT_EQ(*parse_duration(format_duration(*duration)), *duration) << text;
    }
    for (const std::string_view text :
         {"", "5", "s", "5x", "1h 30m", "-", "1e3s", "inf", "nan", "99999999999h", "5s5", "--5s"}) {
        EXPECT_FALSE(parse_duration(text)) << text;
    }
    EXPECT_EQ(format_duration(Duration(0)), "0s");
    EXPECT_EQ(format_duration(seconds(90)), "1m30s");
    EXPECT_EQ(format_duration(std::chrono::hours(26)), "26h");
    EXPECT_EQ(format_duration(microseconds(-1500)), "-1ms500us");
}

TEST(Clock, HumanAgeIsWhatKubectlShows) {
    const std::pair<std::int64_t, std::string_view> rows[] = {
        {-5, "0s"},
        {0, "0s"},
        {119, "119s"},
        {120, "2m"},
        {190, "3m10s"},
        {600, "10m"},
        {3 * 3600 - 1, "179m"},
        {3 * 3600, "3h"},
        {4 * 3600 + 60, "4h1m"},
        {8 * 3600, "8h"},
        {47 * 3600, "47h"},
        {48 * 3600, "2d"},
        {7 * 86400 + 3600, "7d1h"},
        {8 * 86400, "8d"},
        {729 * 86400, "729d"},
        {730 * 86400, "2y"},
        {800 * 86400, "2y70d"},
        {8LL * 365 * 86400, "8y"},
    };
    for (const auto& [age, expected] : rows) EXPECT_EQ(human_age(seconds(age)), expected) << age;
}

}  // namespace
}  // namespace atelier
