// The target of a request, taken apart into what handlers may trust.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "apiserver/http/http.h"
#include "base/result.h"

namespace atelier::apiserver {

// Fills target, path, segments and query of `request`. Accepts the origin form ("/a?b=c") and the
// absolute form ("http://host/a?b=c"). Code::invalid for an empty segment, ".", "..", NUL, an
// encoded '/', an escape that is not two hexadecimal digits, and text that is not UTF-8.
Result<void> parse_target(std::string_view target, Request& request);

// "a=b&c=d", as a query or a body of the type application/x-www-form-urlencoded has it: in order,
// decoded, duplicates kept. Code::invalid as above.
using FormFields = std::vector<std::pair<std::string, std::string>>;
Result<FormFields> parse_form(std::string_view text);

}  // namespace atelier::apiserver
