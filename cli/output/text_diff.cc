#include "cli/output/text_diff.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/text.h"

namespace atelier::cli {
namespace {

constexpr std::size_t context = 3;
constexpr std::size_t most_cells = 4'000'000;

struct Edit {
    char sign;  // ' ', '-', '+'
    std::string line;
};
using Lines = std::vector<std::string>;

Lines lines_of(std::string_view text) {
    Lines lines = split(text, '\n');
    if (!lines.empty() && lines.back().empty()) lines.pop_back();
    return lines;
}

// Compares the lines between the common beginning and the common end, by the longest common
// subsequence.
void compare(const Lines& a, const Lines& b, std::vector<Edit>& edits) {
    const std::size_t width = b.size() + 1;
    std::vector<std::uint32_t> longest;  // of a[i…] and b[j…]
    const bool fits = (a.size() + 1) * width <= most_cells;
    if (fits) {
        longest.assign((a.size() + 1) * width, 0);
        for (std::size_t i = a.size(); i-- > 0;) {
            for (std::size_t j = b.size(); j-- > 0;) {
                longest[i * width + j] = a[i] == b[j] ? longest[(i + 1) * width + j + 1] + 1
                                                      : std::max(longest[(i + 1) * width + j],
                                                                 longest[i * width + j + 1]);
            }
        }
    }
    std::size_t i = 0;
    std::size_t j = 0;
    while (i < a.size() || j < b.size()) {
        if (fits && i < a.size() && j < b.size() && a[i] == b[j]) {
            edits.push_back({' ', a[i++]});
            ++j;
        } else if (i < a.size() && (j == b.size() || !fits ||
                                    longest[(i + 1) * width + j] >= longest[i * width + j + 1])) {
            edits.push_back({'-', a[i++]});
        } else {
            edits.push_back({'+', b[j++]});
        }
    }
}

std::vector<Edit> edits_of(const Lines& a, const Lines& b) {
    std::size_t begin = 0;
    while (begin < a.size() && begin < b.size() && a[begin] == b[begin]) ++begin;
    std::size_t end = 0;
    while (end < a.size() - begin && end < b.size() - begin &&
           a[a.size() - 1 - end] == b[b.size() - 1 - end]) {
        ++end;
    }
    const auto middle = [&](const Lines& lines) {
        return Lines(lines.begin() + static_cast<std::ptrdiff_t>(begin),
                     lines.end() - static_cast<std::ptrdiff_t>(end));
    };
    std::vector<Edit> edits;
    for (std::size_t i = 0; i < begin; ++i) edits.push_back({' ', a[i]});
    compare(middle(a), middle(b), edits);
    for (std::size_t i = a.size() - end; i < a.size(); ++i) edits.push_back({' ', a[i]});
    return edits;
}

// The range of a hunk, "3,7". As diff(1) has it, a side without lines names the line before it.
std::string range(std::size_t begin, std::size_t count) {
    const std::size_t shown = count == 0 ? begin : begin + 1;
    return count == 1 ? std::to_string(shown) : fmt::format("{},{}", shown, count);
}

}  // namespace

std::string unified_diff(std::string_view before, std::string_view after) {
    const std::vector<Edit> edits = edits_of(lines_of(before), lines_of(after));
    std::string out;
    std::size_t old_line = 0;  // lines of each side before edits[at]
    std::size_t new_line = 0;
    std::size_t at = 0;
    const auto pass = [&](std::size_t to) {
        for (; at < to; ++at) {
            old_line += edits[at].sign != '+' ? 1 : 0;
            new_line += edits[at].sign != '-' ? 1 : 0;
        }
    };
    const auto next_change = [&](std::size_t from) {
        while (from < edits.size() && edits[from].sign == ' ') ++from;
        return from;
    };
    for (std::size_t change = next_change(0); change < edits.size();) {
        pass(std::max(at, change - std::min(change, context)));
        const std::size_t begin = at;
        // Changes whose contexts touch share one hunk.
        std::size_t end = change;
        while (change < edits.size() && change <= end + 2 * context) {
            end = change + 1;
            change = next_change(end);
        }
        end = std::min(edits.size(), end + context);
        const std::size_t old_begin = old_line;
        const std::size_t new_begin = new_line;
        pass(end);
        out += fmt::format("@@ -{} +{} @@\n", range(old_begin, old_line - old_begin),
                           range(new_begin, new_line - new_begin));
        for (std::size_t i = begin; i < end; ++i) {
            out += edits[i].sign + edits[i].line + "\n";
        }
    }
    return out;
}

}  // namespace atelier::cli
