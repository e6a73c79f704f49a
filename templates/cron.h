// The five-field cron expressions of schedules. Pure.
#pragma once

#include <string_view>

namespace atelier::templates {

// Minute, hour, day of month, month, day of week: numbers, names of months and days, '*', ranges,
// lists and steps. Day of week 7 is Sunday, as 0 is.
bool is_cron(std::string_view expression);

}  // namespace atelier::templates
