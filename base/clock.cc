#include "base/clock.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cstdint>
#include <optional>

namespace atelier {
namespace {

using namespace std::chrono;

struct CivilTime {
    year_month_day date;
    hh_mm_ss<Duration> time;
};

CivilTime civil_time(Instant instant) {
    const auto day = floor<days>(instant);
    return {year_month_day{day}, hh_mm_ss<Duration>{instant - day}};
}

std::string date_and_time(const CivilTime& f) {
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", static_cast<int>(f.date.year()),
                       static_cast<unsigned>(f.date.month()), static_cast<unsigned>(f.date.day()),
                       f.time.hours().count(), f.time.minutes().count(), f.time.seconds().count());
}

// Reads exactly `width` digits from the front of `text`.
std::optional<int> take_digits(std::string_view& text, std::size_t width) {
    if (text.size() < width) return std::nullopt;
    int value = 0;
    for (std::size_t i = 0; i < width; ++i) {
        if (text[i] < '0' || text[i] > '9') return std::nullopt;
        value = value * 10 + (text[i] - '0');
    }
    text.remove_prefix(width);
    return value;
}

bool take(std::string_view& text, char c) {
    if (text.empty() || text.front() != c) return false;
    text.remove_prefix(1);
    return true;
}

Error bad_time(std::string_view text) {
    return {Code::invalid, fmt::format("\"{}\" is not an RFC 3339 time", text.substr(0, 64))};
}

}  // namespace

Instant SystemClock::now() const {
    return floor<Duration>(system_clock::now());
}

std::string rfc3339(Instant instant) {
    return date_and_time(civil_time(instant)) + "Z";
}

std::string rfc3339_micro(Instant instant) {
    const CivilTime f = civil_time(instant);
    return fmt::format("{}.{:06}Z", date_and_time(f), f.time.subseconds().count());
}

Result<Instant> parse_rfc3339(std::string_view text) {
    std::string_view rest = text;
    const auto y = take_digits(rest, 4);
    const bool dash1 = take(rest, '-');
    const auto mo = take_digits(rest, 2);
    const bool dash2 = take(rest, '-');
    const auto d = take_digits(rest, 2);
    const bool t = take(rest, 'T') || take(rest, 't') || take(rest, ' ');
    const auto h = take_digits(rest, 2);
    const bool colon1 = take(rest, ':');
    const auto mi = take_digits(rest, 2);
    const bool colon2 = take(rest, ':');
    const auto s = take_digits(rest, 2);
    if (!y || !dash1 || !mo || !dash2 || !d || !t || !h || !colon1 || !mi || !colon2 || !s) {
        return bad_time(text);
    }
    std::int64_t micros = 0;
    if (take(rest, '.')) {
        std::int64_t scale = 100000;
        std::size_t digits = 0;
        while (!rest.empty() && rest.front() >= '0' && rest.front() <= '9') {
            micros += scale * (rest.front() - '0');
            scale /= 10;
            ++digits;
            rest.remove_prefix(1);
        }
        if (digits == 0) return bad_time(text);
    }
    minutes offset{0};
    if (!take(rest, 'Z') && !take(rest, 'z')) {
        const bool plus = take(rest, '+');
        if (!plus && !take(rest, '-')) return bad_time(text);
        const auto oh = take_digits(rest, 2);
        const bool colon = take(rest, ':');
        const auto om = take_digits(rest, 2);
        if (!oh || !colon || !om) return bad_time(text);
        offset = minutes{*oh * 60 + *om} * (plus ? 1 : -1);
    }
    const year_month_day date{year{*y}, month{static_cast<unsigned>(*mo)},
                              day{static_cast<unsigned>(*d)}};
    if (!rest.empty() || !date.ok() || *h > 23 || *mi > 59 || *s > 60) return bad_time(text);
    return Instant{sys_days{date} + hours{*h} + minutes{*mi} + seconds{*s} + microseconds{micros} -
                   offset};
}

std::string compact_stamp(Instant instant) {
    const CivilTime f = civil_time(instant);
    return fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}Z", static_cast<int>(f.date.year()),
                       static_cast<unsigned>(f.date.month()), static_cast<unsigned>(f.date.day()),
                       f.time.hours().count(), f.time.minutes().count(), f.time.seconds().count());
}

Result<Duration> parse_duration(std::string_view text) {
    const Error bad{Code::invalid, fmt::format("\"{}\" is not a duration such as 30s, 10m or 1h30m",
                                               text.substr(0, 64))};
    if (text == "0") return Duration{0};
    std::string_view rest = text;
    const bool negative = take(rest, '-');
    if (rest.empty()) return bad;
    double total = 0;
    while (!rest.empty()) {
        double number = 0;
        const auto [end, ec] = std::from_chars(rest.data(), rest.data() + rest.size(), number,
                                               std::chars_format::fixed);
        if (ec != std::errc{} || number < 0) return bad;
        rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
        static constexpr std::array<std::pair<std::string_view, double>, 5> units{
            {{"ms", 1e3}, {"us", 1.0}, {"h", 3600e6}, {"m", 60e6}, {"s", 1e6}}};
        bool known = false;
        for (const auto& [unit, micros] : units) {
            if (!rest.starts_with(unit)) continue;
            total += number * micros;
            rest.remove_prefix(unit.size());
            known = true;
            break;
        }
        if (!known) return bad;
    }
    if (total > 100.0 * 365 * 24 * 3600e6) return bad;  // a century is enough
    return Duration{static_cast<std::int64_t>(negative ? -total : total)};
}

std::string format_duration(Duration duration) {
    if (duration.count() == 0) return "0s";
    std::string out = duration.count() < 0 ? "-" : "";
    std::int64_t rest = duration.count() < 0 ? -duration.count() : duration.count();
    static constexpr std::array<std::pair<std::string_view, std::int64_t>, 5> units{
        {{"h", 3600000000}, {"m", 60000000}, {"s", 1000000}, {"ms", 1000}, {"us", 1}}};
    for (const auto& [unit, micros] : units) {
        if (rest < micros) continue;
        out += fmt::format("{}{}", rest / micros, unit);
        rest %= micros;
    }
    return out;
}

std::string human_age(Duration age) {
    const std::int64_t s = duration_cast<seconds>(age).count();
    if (s < 0) return "0s";
    const auto pair = [](std::int64_t a, char ua, std::int64_t b, char ub) {
        return b == 0 ? fmt::format("{}{}", a, ua) : fmt::format("{}{}{}{}", a, ua, b, ub);
    };
    constexpr std::int64_t m = 60, h = 3600, d = 86400, y = 365 * d;
    if (s < 2 * m) return fmt::format("{}s", s);
    if (s < 10 * m) return pair(s / m, 'm', s % m, 's');
    if (s < 3 * h) return fmt::format("{}m", s / m);
    if (s < 8 * h) return pair(s / h, 'h', s % h / m, 'm');
    if (s < 2 * d) return fmt::format("{}h", s / h);
    if (s < 8 * d) return pair(s / d, 'd', s % d / h, 'h');
    if (s < 2 * y) return fmt::format("{}d", s / d);
    if (s < 8 * y) return pair(s / y, 'y', s % y / d, 'd');
    return fmt::format("{}y", s / y);
}

}  // namespace atelier
