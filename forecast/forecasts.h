// Forecasts that can be applied: a forecast is stored under a token, and the token makes exactly
// that happen. Users know such a forecast as a Plan (`atelier plan`, kind Plan).
//
// The token is a keyed digest of the proposed objects, of the forecast, and of its preconditions.
// The forecast is stored in a Secret plan-<token> of its namespace, encrypted like every Secret,
// for a day. At most fifty are kept in a namespace; the oldest are removed first.
//
// Applying makes the forecast again. If that gives another token, nothing is written and
// Code::conflict lists what changed, one Cause for each line. Else the objects are written, each
// Org that changes is bound to the promised artifact (reconcilers/org/binding.h), and the token is
// marked as applied: all of it in one transaction (forecast/commit.h).
#pragma once

#include <stop_token>
#include <string>

#include "base/clock.h"
#include "base/json.h"
#include "forecast/make_forecast.h"
#include "reconcilers/common/objects.h"

namespace atelier::forecast {

// The type of the Secrets that hold forecasts.
inline constexpr std::string_view plan_type = "atelier.dev/plan";

// Thread-safe. Every call blocks for as long as make_forecast() does, and ends with Code::cancelled
// once `stop` is requested.
class Forecasts {
  public:
    Forecasts(Dependencies dependencies, const Clock& clock, std::stop_token stop);

    // `spec`: {"objects": […], "org": "acme"}. Returns a Plan object. Its status.token is empty
    // when nothing would happen, and then nothing is stored. Errors: those of make_forecast(), and
    // too_large for more than 1 MiB of objects.
    Result<json::Document> make(const std::string& ns, const json::Value& spec);
    // The forecast of an Org as it is. Nothing is stored, and the Plan has no token.
    Result<json::Document> of_org(const std::string& ns, const std::string& org);
    // Idempotent: a token that was applied already does nothing and says so in
    // status.alreadyApplied. Errors: not_found for a token that is unknown or has expired; conflict
    // when the forecast is no longer the same.
    Result<json::Document> apply(const std::string& ns, const std::string& token);

  private:
    struct StoredForecast;
    Result<StoredForecast> find(const std::string& ns, const std::string& token, Instant now);
    Result<std::vector<std::string>> apply_unchanged(const std::string& ns,
                                                     const std::string& token,
                                                     StoredForecast& stored, Forecast& forecast,
                                                     Instant now);
    Result<ProposedObject> secret_of(const std::string& ns, const std::string& token,
                                     const StoredForecast& stored) const;
    Result<void> store(const std::string& ns, const std::string& token,
                       const StoredForecast& stored, Instant now);
    Result<void> remove_expired(const std::string& ns, Instant now);
    Result<Request> request_of(const std::string& ns, const json::Value& spec) const;
    std::string token_of(const Request& request, const ForecastResult& result) const;

    const Dependencies dependencies_;
    reconcilers::Objects objects_;
    const Clock& clock_;
    const std::stop_token stop_;
};

}  // namespace atelier::forecast
