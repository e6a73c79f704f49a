// The difference of two texts. Pure.
#pragma once

#include <string>
#include <string_view>

namespace atelier::cli {

// The unified format of diff(1) with three lines of context, without its two header lines; empty
// when the texts are equal. Work is bounded: where texts of many thousand lines differ almost
// everywhere, the lines that differ become one block.
std::string unified_diff(std::string_view before, std::string_view after);

}  // namespace atelier::cli
