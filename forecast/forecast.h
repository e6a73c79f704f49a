// What would happen, as a value: the answer to a plan (crds/forecast.h), and what people and tokens
// make of it. Pure.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "crds/forecast.h"

namespace atelier::forecast {

using Step = crds::ForecastStep;
using Item = crds::ForecastItem<Step>;
using Blocker = crds::ForecastBlocker;
using Followed = crds::ForecastOrg;
using Forecast = crds::ForecastStatus<Step>;

// Each item, blocker and org as one line: for comparing two forecasts, and for people. Without what
// is passing.
std::vector<std::string> lines_of(const Forecast& forecast);
std::string line_of(const Item& item);

// "+ a new line", "- a line that is gone": what differs, in order; at most `most`, then a count.
std::vector<std::string> moved(const std::vector<std::string>& before,
                               const std::vector<std::string>& after, std::size_t most);

// 7d, 36h, 90s: as short as it says the same.
std::string short_duration(Duration duration);

}  // namespace atelier::forecast
