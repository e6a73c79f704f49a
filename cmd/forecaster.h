// Joins the plans of the API to the reconcilers that make them.
#pragma once

#include <memory>
#include <stop_token>

#include "apiserver/plans/forecast_service.h"
#include "forecast/forecasts.h"

namespace atelier::cmd {

// What the tools refer to outlives it. `stop` ends every call.
std::unique_ptr<apiserver::ForecastService> make_forecast_service(forecast::Dependencies tools,
                                                                  const Clock& clock,
                                                                  std::stop_token stop);

// Of a server, made from its encryption key, which stays unknown to who knows this one.
std::string plan_key(const std::string& encryption_key);

}  // namespace atelier::cmd
