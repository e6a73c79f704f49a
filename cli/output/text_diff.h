// Two texts and what differs between them. Pure.
#pragma once

#include <string>
#include <string_view>

namespace atelier::cli {

// The unified form of diff(1) with three lines of context, without its two header lines; empty when
// the texts are equal. Texts of many thousand lines that differ almost everywhere are told as one
// block instead of line by line.
std::string unified_diff(std::string_view before, std::string_view after);

}  // namespace atelier::cli
