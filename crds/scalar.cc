#include "crds/scalar.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/text.h"

namespace atelier::crds {
namespace {

bool all(std::string_view text, std::string_view letters) {
    return !text.empty() && text.find_first_not_of(letters) == std::string_view::npos;
}

std::string_view without_sign(std::string_view text) {
    if (!text.empty() && (text.front() == '-' || text.front() == '+')) text.remove_prefix(1);
    return text;
}

std::size_t take_digits(std::string_view& text) {
    std::size_t n = 0;
    while (n < text.size() && is_digit(text[n])) ++n;
    text.remove_prefix(n);
    return n;
}

// [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?
bool is_float(std::string_view text) {
    text = without_sign(text);
    const std::size_t whole = take_digits(text);
    std::size_t fraction = 0;
    if (!text.empty() && text.front() == '.') {
        text.remove_prefix(1);
        fraction = take_digits(text);
    }
    if (whole + fraction == 0) return false;
    if (text.empty()) return true;
    if (text.front() != 'e' && text.front() != 'E') return false;
    text = without_sign(text.substr(1));
    return take_digits(text) > 0 && text.empty();
}

}  // namespace

ScalarType core_type(std::string_view plain) {
    if (plain.empty() || plain == "~" || plain == "null" || plain == "Null" || plain == "NULL") {
        return ScalarType::null;
    }
    if (plain == "true" || plain == "True" || plain == "TRUE" || plain == "false" ||
        plain == "False" || plain == "FALSE") {
        return ScalarType::boolean;
    }
    const char first = plain.front();
    if (!is_digit(first) && first != '-' && first != '+' && first != '.') return ScalarType::text;
    if (all(without_sign(plain), "0123456789")) return ScalarType::integer;
    if (plain.starts_with("0o") && all(plain.substr(2), "01234567")) return ScalarType::integer;
    if (plain.starts_with("0x") && all(plain.substr(2), "0123456789abcdefABCDEF")) {
        return ScalarType::integer;
    }
    if (is_float(plain)) return ScalarType::floating;
    const std::string_view bare = without_sign(plain);
    if (bare == ".inf" || bare == ".Inf" || bare == ".INF" || plain == ".nan" || plain == ".NaN" ||
        plain == ".NAN") {
        return ScalarType::not_finite;
    }
    return ScalarType::text;
}

Result<json::Value> number_of(std::string_view plain, ScalarType type) {
    const std::string_view digits = without_sign(plain);
    const bool negative = plain.starts_with('-');
    const char* last = digits.data() + digits.size();
    const Error too_large{
        Code::invalid,
        fmt::format("{} is too large for a number; put it in quotes to keep the text",
                    plain.substr(0, 40))};
    if (type == ScalarType::floating) {
        double value = 0;
        const auto [stop, ec] = std::from_chars(digits.data(), last, value);
        if (ec != std::errc{} || stop != last) return too_large;
        return json::Value(negative ? -value : value);
    }
    int base = 10;
    std::string_view bare = digits;
    if (bare.starts_with("0x") || bare.starts_with("0o")) {
        base = bare[1] == 'x' ? 16 : 8;
        bare.remove_prefix(2);
    }
    std::uint64_t value = 0;
    const auto [stop, ec] = std::from_chars(bare.data(), last, value, base);
    constexpr std::uint64_t lowest = std::uint64_t{1} << 63;
    if (ec != std::errc{} || stop != last || (negative && value > lowest)) return too_large;
    if (negative) return json::Value(static_cast<std::int64_t>(~value + 1));
    return json::Value(value);
}

bool is_ambiguous(std::string_view plain) {
    if (core_type(plain) != ScalarType::text) return true;
    static constexpr std::string_view words[] = {"y", "n", "yes", "no", "on", "off", "<<", "="};
    if (plain.size() <= 3) {
        const std::string low = lower(plain);
        if (std::find(std::begin(words), std::end(words), low) != std::end(words)) return true;
    }
    // Numbers with underscores, other bases, sexagesimals and dates all look like this.
    const std::string_view bare = without_sign(plain);
    return !bare.empty() && (is_digit(bare.front()) || bare.front() == '.') &&
           bare.find_first_not_of("0123456789abcdefABCDEF_.:-+xobTtZ ") == std::string_view::npos;
}

}  // namespace atelier::crds
