// Writes the objects of a forecast to the store, once the forecast was made again and is the same.
#pragma once

#include <string>
#include <vector>

#include "forecast/make_forecast.h"

namespace atelier::forecast {

// The Secret behind the token, marked as applied, and its revision as it was read.
struct TokenUpdate {
    ProposedObject secret;
    Revision observed = 0;
};

// One transaction: the proposed objects are written, Orgs that change are bound to their artifacts,
// templates that are behind are asked to read their source, and the token is marked as applied;
// every other precondition is checked by the same transaction. Returns "Org acme configured", one
// entry for each proposed object that was written.
// Code::conflict, with a Cause for each object that somebody else changed: nothing was written.
// Code::unavailable: everything or nothing was written; the token's Secret tells which.
Result<std::vector<std::string>> commit_forecast(const Dependencies& dependencies,
                                                 const ForecastResult& result,
                                                 const TokenUpdate& token_update, Instant now);

}  // namespace atelier::forecast
