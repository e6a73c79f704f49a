// Forecasts ("plans") of the server: asking for one, showing it, applying it.
#pragma once

#include <string>
#include <vector>

#include "cli/session/session.h"

namespace atelier::cli {

// Asks for a forecast of `objects` (each complete, as it would be stored), or, when there are none,
// of the Org of that name as it is. Errors are those of the server.
Result<json::Document> make_plan(Session& session, const std::string& ns,
                                 const std::vector<json::Document>& objects,
                                 const std::string& org);
// Prints the forecast in the format of -o. With --exit-code it returns exit_code::error when
// something would change.
int show_plan(Session& session, const std::string& ns, const json::Document& plan);
// Applies the forecast that the token names. When the server refuses because objects have changed
// since, prints which ones and returns exit_code::conflict.
int apply_plan(Session& session, const std::string& token);

}  // namespace atelier::cli
