// A forecast ("plan") as a page for a browser. Pure.
#pragma once

#include <string>

#include "cli/output/plan_text.h"

namespace atelier::cli {

// One page that needs nothing else: it follows the light or dark mode of the browser, all text of
// the server is escaped, and it holds no script.
std::string plan_html(const ForecastStatus& plan, const std::string& ns,
                      const std::string& made_at);

}  // namespace atelier::cli
