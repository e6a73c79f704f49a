// JSON as text, for the paths that answer without building a DOM.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

namespace atelier {

// Appends `text` as a JSON string, quotes included. `text` is UTF-8.
void append_quoted(std::string& out, std::string_view text);
std::string quoted(std::string_view text);

// The text of the value below `name` in a JSON object that is known to be valid, or empty when
// there is none or `object` is not an object. The view points into `object`.
std::string_view member_text(std::string_view object, std::string_view name);
// Follows member names; a string value is returned decoded, any other as its JSON text.
std::string string_below(std::string_view object, std::initializer_list<std::string_view> path);

}  // namespace atelier
