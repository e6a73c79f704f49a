// Small questions about strings.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace atelier {

// Of ASCII, whatever the locale.
constexpr bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
constexpr bool is_upper(char c) {
    return c >= 'A' && c <= 'Z';
}
constexpr bool is_letter(char c) {
    return is_upper(c) || (c >= 'a' && c <= 'z');
}
constexpr bool is_letter_or_digit(char c) {
    return is_letter(c) || is_digit(c);
}

std::vector<std::string> split(std::string_view text, char separator);  // keeps empty parts
std::string join(const std::vector<std::string>& parts, std::string_view separator);
std::string_view trim(std::string_view text);  // ASCII white space at both ends
std::string lower(std::string_view text);      // ASCII

// "Core Lead" -> "core-lead": a DNS-1123 label of at most `most` characters; empty when nothing of
// the text can stand in one.
std::string slug(std::string_view text, std::size_t most = 50);
// RFC 1123 as Kubernetes reads it: lower-case letters, digits and '-', at most 63; a subdomain is
// such parts, of any length, joined by '.', at most 253 together.
bool is_dns_label(std::string_view text);
bool is_dns_subdomain(std::string_view text);

// The candidate nearest to `text` by edits, if near enough to be meant.
std::optional<std::string> did_you_mean(std::string_view text,
                                        const std::vector<std::string>& candidates);

// True when `path` is relative, not empty, and no segment of it is "", "." or "..".
bool is_safe_relative_path(std::string_view path);

bool is_valid_utf8(std::string_view text);

}  // namespace atelier
