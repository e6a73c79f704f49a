// A forecast as a value under short names (crds/forecast.h defines it), and its text form. Pure.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "crds/forecast.h"

namespace atelier::forecast {

using Step = crds::ForecastStep;
using Item = crds::ForecastItem<Step>;
using Blocker = crds::ForecastBlocker;
using OrgTarget = crds::ForecastOrg;
using Forecast = crds::ForecastStatus<Step>;

// Each item, blocker and org as one line, for people and for comparing two forecasts. Blockers that
// pass without anybody's help are left out.
std::vector<std::string> lines_of(const Forecast& forecast);
std::string line_of(const Item& item);

// The difference as "- old line" and "+ new line", in order; at most `most` lines, then a count.
std::vector<std::string> changed_lines(const std::vector<std::string>& before,
                                       const std::vector<std::string>& after, std::size_t most);

// In the largest unit that divides it: "7d", "36h", "90s".
std::string short_duration(Duration duration);

}  // namespace atelier::forecast
