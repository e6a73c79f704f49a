// Plans, as the server answers them, and as people read them.
#pragma once

#include <string>
#include <vector>

#include "cli/session.h"
#include "crds/forecast.h"

namespace atelier::cli {

// An action that a newer server has is shown by its own word.
using ForecastItem = crds::ForecastItem<std::string>;
using ForecastBlocker = crds::ForecastBlocker;
using ForecastStatus = crds::ForecastStatus<std::string>;

// Where it moves, what is kept, and why: a line each.
std::vector<std::string> details_of(const ForecastItem& item);
// Until when its token is good: "2026-01-02T00:00:00Z".
std::string time_text(const ForecastStatus& plan);

// "↻ restart", or "* restart" where the terminal has no such letters.
std::string glyph_and_word(const std::string& action, bool unicode);

std::string plan_text(const ForecastStatus& plan, const std::string& ns, bool unicode);
// One page that needs nothing else: light and dark, all text escaped, nothing that runs.
std::string plan_html(const ForecastStatus& plan, const std::string& ns,
                      const std::string& made_at);

// `objects`: whole, as they are to be. Code::invalid and others as the server says.
Result<json::Document> make_plan(Session& session, const std::string& ns,
                                 const std::vector<json::Document>& objects,
                                 const std::string& org);
// Prints it in the format of -o; the exit code, as --exit-code has it.
int show_plan(Session& session, const std::string& ns, const json::Document& plan);
// Has exactly that happen. Tells what moved; the exit code.
int apply_plan(Session& session, const std::string& token);

}  // namespace atelier::cli
