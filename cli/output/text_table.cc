#include "cli/output/text_table.h"

#include <algorithm>

namespace atelier::cli {

std::string printable(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        // U+0080 to U+009F are control characters too; in UTF-8 they begin with 0xC2.
        const bool high_control =
            byte == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0;
        if (high_control) ++i;
        out += byte < 0x20 || byte == 0x7F || high_control ? ' ' : text[i];
    }
    return out;
}

std::size_t width_of(std::string_view text) {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
    }));
}

void TextTable::add(std::vector<std::string> row) {
    for (auto& cell : row) cell = printable(cell);
    widen(row);
    rows_.push_back(std::move(row));
}

void TextTable::widen(const std::vector<std::string>& row) {
    if (widths_.size() < row.size()) widths_.resize(row.size());
    for (std::size_t i = 0; i < row.size(); ++i)
        widths_[i] = std::max(widths_[i], width_of(row[i]));
}

void TextTable::append(std::string& out, const std::vector<std::string>& row) const {
    const std::size_t start = out.size();
    for (std::size_t i = 0; i < row.size(); ++i) {
        out += row[i];
        if (i + 1 < row.size()) out.append(widths_[i] - width_of(row[i]) + 3, ' ');
    }
    const std::size_t last = out.find_last_not_of(' ');
    out.resize(std::max(start, last == std::string::npos ? 0 : last + 1));
    out += '\n';
}

std::string TextTable::take_text(bool with_header) {
    std::string out;
    if (with_header) append(out, header_);
    for (const auto& row : rows_) append(out, row);
    rows_.clear();
    return out;
}

}  // namespace atelier::cli
