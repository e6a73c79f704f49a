#include "templates/env_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/text.h"
#include "templates/env.h"

namespace atelier::templates {
namespace {

constexpr std::size_t longest_entry = 128 * 1024 - 1;  // NAME=value, as Linux starts a program

bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

std::string_view without_blanks(std::string_view text) {
    while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
    return text;
}

std::string with_line_feeds(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n') continue;
        out += text[i];
    }
    return out;
}

// "$NAME" or "${NAME}"
bool has_reference(std::string_view value) {
    for (std::size_t at = value.find('$'); at != value.npos; at = value.find('$', at + 1)) {
        const std::string_view rest = value.substr(at + 1);
        if (rest.starts_with('{') || (!rest.empty() && is_env_name(rest.substr(0, 1)))) return true;
    }
    return false;
}

class Parser {
  public:
    explicit Parser(std::string_view text) : rest_(text) {}

    EnvFile parse() {
        while (!rest_.empty() && !file_.unclosed) {
            begins_ = line_;
            const std::string_view line = without_blanks(rest_.substr(0, rest_.find('\n')));
            if (line.empty() || line.front() == '#') {
                skip_line();
            } else {
                read_entry();
            }
        }
        return std::move(file_);
    }

  private:
    void odd(std::string message) { file_.odd.push_back({begins_, std::move(message)}); }

    void take(std::size_t count) {
        line_ += static_cast<int>(
            std::count(rest_.begin(), rest_.begin() + static_cast<std::ptrdiff_t>(count), '\n'));
        rest_.remove_prefix(count);
    }
    void skip_line() { take(std::min(rest_.find('\n'), rest_.size() - 1) + 1); }
    void skip_blanks() {
        while (!rest_.empty() && is_blank(rest_.front())) rest_.remove_prefix(1);
    }

    // '=', or ':' before a blank or the end of the line: "https://…" is no entry.
    static std::size_t separator_of(std::string_view line) {
        for (std::size_t i = 0; i < line.size(); ++i) {
            if (line[i] == '=') return i;
            if (line[i] == ':' && (i + 1 == line.size() || is_blank(line[i + 1]))) return i;
        }
        return line.npos;
    }

    void read_entry() {
        skip_blanks();
        constexpr std::string_view keyword = "export";
        if (rest_.starts_with(keyword) && rest_.size() > keyword.size() &&
            is_blank(rest_[keyword.size()])) {
            rest_.remove_prefix(keyword.size());
            skip_blanks();
        }
        const std::string_view line = rest_.substr(0, rest_.find('\n'));
        const std::size_t separator = separator_of(line);
        if (separator == line.npos) {
            odd("the line is ignored: it is not NAME=value");
            return skip_line();
        }
        const std::string name(without_blanks(line.substr(0, separator)));
        const std::string_view value_part = without_blanks(line.substr(separator + 1));
        take(separator + 1);
        const bool quoted = value_part.starts_with('"') || value_part.starts_with('\'');
        auto value = quoted ? quoted_value() : std::optional(plain_value());
        if (value) keep(name, *std::move(value));
    }

    std::string plain_value() {
        std::string_view value = rest_.substr(0, rest_.find('\n'));
        for (std::size_t i = 1; i < value.size(); ++i) {
            if (value[i] == '#' && is_blank(value[i - 1])) value = value.substr(0, i);
        }
        std::string kept(without_blanks(value));
        skip_line_or_end();
        warn_of_reference(kept);
        return kept;
    }

    void skip_line_or_end() {
        if (!rest_.empty()) skip_line();
    }

    std::optional<std::string> quoted_value() {
        skip_blanks();
        const char quote = rest_.front();
        std::string value;
        bool reference = false;
        std::size_t at = 1;
        for (; at < rest_.size() && rest_[at] != quote; ++at) {
            if (rest_[at] == '\\' && at + 1 < rest_.size()) {
                if (const auto escaped = escape(quote, rest_[at + 1])) {
                    value += *escaped;
                    ++at;
                    continue;
                }
            }
            reference = reference || (quote == '"' && has_reference(rest_.substr(at, 2)));
            value += rest_[at];
        }
        if (at == rest_.size()) {
            file_.unclosed = OddLine{begins_, fmt::format("the quote {} is never closed", quote)};
            return std::nullopt;
        }
        take(at + 1);
        skip_blanks();
        const bool ends = rest_.empty() || rest_.front() == '\n' || rest_.front() == '#';
        skip_line_or_end();
        if (!ends) {
            odd(fmt::format(
                "the entry is ignored: there is text after the closing quote {0}; write "
                "\\{0} for a quote inside the value",
                quote));
            return std::nullopt;
        }
        if (reference) warn_of_reference("${");
        return value;
    }

    // nullopt: the backslash is part of the value.
    static std::optional<char> escape(char quote, char c) {
        if (c == quote) return c;
        if (quote == '\'') return std::nullopt;
        switch (c) {
            case 'n':
                return '\n';
            case 'r':
                return '\r';
            case 't':
                return '\t';
            case '\\':
            case '$':
                return c;
            default:
                return std::nullopt;
        }
    }

    void warn_of_reference(std::string_view value) {
        if (!has_reference(value)) return;
        odd("$NAME is not expanded in a .env file: the value is kept as it is written; put it into "
            "single quotes if that is meant");
    }

    void keep(const std::string& name, std::string value) {
        if (!is_env_name(name)) {
            return odd(
                "the entry is ignored: a name has letters, digits and '_', does not begin "
                "with a digit, and has at most 128 characters");
        }
        if (!is_valid_utf8(value) || value.find('\0') != value.npos) {
            return odd(fmt::format("{} is ignored: its value is not UTF-8 text", name));
        }
        if (name.size() + 1 + value.size() >= longest_entry) {
            return odd(fmt::format("{} is ignored: it has more than 128 KiB", name));
        }
        const auto [known, fresh] = lines_.try_emplace(name, begins_);
        if (!fresh) {
            odd(fmt::format("{} is set again, and its value of line {} has no effect", name,
                            known->second));
            known->second = begins_;
        }
        file_.values.insert_or_assign(name, std::move(value));
    }

    std::string_view rest_;
    int line_ = 1;
    int begins_ = 1;  // the line of the entry that is being read
    std::map<std::string, int> lines_;
    EnvFile file_;
};

}  // namespace

EnvFile parse_env(std::string_view text) {
    const std::string normal = with_line_feeds(without_byte_order_mark(text));
    return Parser(normal).parse();
}

}  // namespace atelier::templates
