#include "templates/redact.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace atelier::templates {
namespace {

constexpr std::string_view mark = "[redacted]";
constexpr std::size_t blob_length = 33;

bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}
bool is_base64(char c) {
    return is_letter(c) || is_digit(c) || c == '+' || c == '/' || c == '_' || c == '-';
}

// How much of a word, from its start, is kept; all of it when it is no secret.
std::size_t kept_of(std::string_view word) {
    constexpr std::array<std::string_view, 3> assignments = {"_API_KEY=", "_TOKEN=", "_SECRET="};
    for (const std::string_view assignment : assignments) {
        const std::size_t at = word.find(assignment);
        if (at != std::string_view::npos && at > 0 && at + assignment.size() < word.size()) {
            return at + assignment.size();
        }
    }
    std::size_t start = 0;  // of the word without the punctuation around it
    while (start < word.size() && !is_base64(word[start])) ++start;
    const std::string_view rest = word.substr(start);
    for (const std::string_view prefix : {std::string_view("sk-"), std::string_view("ctx7_")}) {
        if (rest.starts_with(prefix) && rest.size() > prefix.size() + 4) return start;
    }
    std::size_t run = 0;
    bool upper = false;
    bool small = false;
    bool digit = false;
    for (std::size_t i = 0; i <= word.size(); ++i) {
        if (i < word.size() && is_base64(word[i])) {
            ++run;
            upper = upper || (word[i] >= 'A' && word[i] <= 'Z');
            small = small || (word[i] >= 'a' && word[i] <= 'z');
            digit = digit || is_digit(word[i]);
            continue;
        }
        if (run >= blob_length && upper && small && digit) return i - run;
        run = 0;
        upper = small = digit = false;
    }
    return word.size();
}

}  // namespace

std::string redacted(std::string_view text) {
    std::string out;
    bool after_bearer = false;
    std::size_t at = 0;
    while (at < text.size()) {
        if (is_space(text[at])) {
            out += text[at++];
            continue;
        }
        const auto end = static_cast<std::size_t>(
            std::find_if(text.begin() + static_cast<std::ptrdiff_t>(at), text.end(), is_space) -
            text.begin());
        const std::string_view word = text.substr(at, end - at);
        const std::size_t kept = after_bearer ? 0 : kept_of(word);
        out += word.substr(0, kept);
        if (kept < word.size()) out += mark;
        after_bearer = word == "Bearer" || word == "bearer";
        at = end;
    }
    return out;
}

}  // namespace atelier::templates
