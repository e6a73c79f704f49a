// Columns of text, as kubectl lays them out.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace atelier::cli {

// What a server says may hold anything: control characters (which could move a terminal's cursor)
// become spaces; a line end becomes a space.
std::string printable(std::string_view text);
// Columns that a terminal needs for the text.
std::size_t width_of(std::string_view text);

class TextTable {
  public:
    explicit TextTable(std::vector<std::string> header) : header_(std::move(header)) {
        widen(header_);
    }
    void add(std::vector<std::string> row);
    bool empty() const { return rows_.empty(); }
    // Takes the rows out, so that those of a watch can follow under the same columns.
    std::string take_text(bool with_header);

  private:
    void widen(const std::vector<std::string>& row);
    void append(std::string& out, const std::vector<std::string>& row) const;

    std::vector<std::string> header_;
    std::vector<std::vector<std::string>> rows_;
    std::vector<std::size_t> widths_;
};

}  // namespace atelier::cli
