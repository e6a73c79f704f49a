// The text of answers: heads, and the errors of the HTTP layer itself as Kubernetes' Status.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "apiserver/http/http.h"
#include "base/clock.h"

namespace atelier::apiserver {

std::string_view reason_phrase(int status);
// "Mon, 30 Nov 2026 14:00:00 GMT": RFC 9110 5.6.7, for Date and Expires.
std::string http_date(Instant at);

struct HeadOptions {
    std::optional<std::size_t> content_length;  // absent: no such header
    bool chunked = false;
    bool http_1_0 = false;
    bool keep_alive = true;
    std::string_view date;  // a whole "Date: …\r\n", or empty
};
// The status line and header fields up to and with the empty line. Framing fields of `headers` are
// left out, and control characters in values become spaces, so that no value can begin a new field.
std::string head_text(int status, const Headers& headers, const HeadOptions& options);

// {"kind":"Status",…} for a failure that no handler has seen.
std::string status_json(int status, std::string_view message);
Frame error_body(int status, std::string_view message);  // the same, as a body

}  // namespace atelier::apiserver
