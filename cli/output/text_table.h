// Columns of text, laid out as kubectl does.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace atelier::cli {

// `text` with each control character, line ends included, as a space. Text of a server may hold
// anything, and an escape sequence could rewrite what the terminal shows.
std::string printable(std::string_view text);
// The number of columns that a terminal needs for the text.
std::size_t width_of(std::string_view text);

class TextTable {
  public:
    explicit TextTable(std::vector<std::string> header) : header_(std::move(header)) {
        widen(header_);
    }
    void add(std::vector<std::string> row);
    bool empty() const { return rows_.empty(); }
    // The rows as text, which are then removed. The widths stay, so that later rows of a watch line
    // up with them.
    std::string take_text(bool with_header);

  private:
    void widen(const std::vector<std::string>& row);
    void append(std::string& out, const std::vector<std::string>& row) const;

    std::vector<std::string> header_;
    std::vector<std::vector<std::string>> rows_;
    std::vector<std::size_t> widths_;
};

}  // namespace atelier::cli
