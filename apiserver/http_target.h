// The target of a request, taken apart into what handlers may trust.
#pragma once

#include <string>
#include <string_view>

#include "apiserver/http.h"
#include "base/result.h"

namespace atelier::apiserver {

// Fills target, path, segments and query of `request`. Accepts the origin form ("/a?b=c") and the
// absolute form ("http://host/a?b=c"). Code::invalid for an empty segment, ".", "..", NUL, an
// encoded
// '/', an escape that is not two hexadecimal digits, and text that is not UTF-8.
Result<void> parse_target(std::string_view target, Request& request);

}  // namespace atelier::apiserver
