// A forecast ("plan") as people read it: lines of text. Pure.
#pragma once

#include <string>
#include <vector>

#include "crds/forecast.h"

namespace atelier::cli {

// Actions are strings here, so that one that only a newer server knows can still be shown.
using ForecastItem = crds::ForecastItem<std::string>;
using ForecastBlocker = crds::ForecastBlocker;
using ForecastStatus = crds::ForecastStatus<std::string>;

// Lines about one item: its new parent, what is kept, and the reasons.
std::vector<std::string> details_of(const ForecastItem& item);
// The time at which the token of the forecast expires, as RFC 3339; empty when there is none.
std::string time_text(const ForecastStatus& plan);

// "↻ restart", or "* restart" in ASCII.
std::string glyph_and_word(const std::string& action, bool unicode);

std::string plan_text(const ForecastStatus& plan, const std::string& ns, bool unicode);

}  // namespace atelier::cli
