#include "templates/cron.h"

#include <array>
#include <charconv>
#include <optional>
#include <string>
#include <vector>

#include "base/text.h"

namespace atelier::templates {
namespace {

struct Field {
    int least;
    int most;
    std::vector<std::string_view> names;  // the first stands for `least`
};

std::optional<int> value_of(std::string_view text, const Field& field) {
    const std::string small = lower(text);
    for (std::size_t i = 0; i < field.names.size(); ++i) {
        if (small == field.names[i]) return field.least + static_cast<int>(i);
    }
    int value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    if (value < field.least || value > field.most) return std::nullopt;
    return value;
}

bool is_part(std::string_view part, const Field& field) {
    if (const std::size_t slash = part.find('/'); slash != std::string_view::npos) {
        const Field step{1, field.most, {}};
        if (!value_of(part.substr(slash + 1), step)) return false;
        part = part.substr(0, slash);
    }
    if (part == "*") return true;
    const std::size_t dash = part.find('-');
    if (dash == std::string_view::npos) return value_of(part, field).has_value();
    const auto from = value_of(part.substr(0, dash), field);
    const auto to = value_of(part.substr(dash + 1), field);
    return from && to && *from <= *to;
}

}  // namespace

bool is_cron(std::string_view expression) {
    const std::array<Field, 5> fields{{
        {0, 59, {}},
        {0, 23, {}},
        {1, 31, {}},
        {1,
         12,
         {"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}},
        {0, 7, {"sun", "mon", "tue", "wed", "thu", "fri", "sat"}},
    }};
    std::vector<std::string> words;
    for (std::string& word : split(expression, ' ')) {
        if (!word.empty()) words.push_back(std::move(word));
    }
    if (words.size() != fields.size()) return false;
    for (std::size_t i = 0; i < fields.size(); ++i) {
        for (const std::string& part : split(words[i], ',')) {
            if (!is_part(part, fields[i])) return false;
        }
    }
    return true;
}

}  // namespace atelier::templates
