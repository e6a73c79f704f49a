// Forecasts that can be applied: a forecast under a token, and the way to have exactly that happen.
//
// A token is a keyed digest of what would be applied, of what would happen, and of the state of all
// that would change. What it stands for is kept in a Secret plan-<token> beside the objects, sealed
// like any other, for a day; at most fifty in a namespace, the oldest go first.
//
// Applying makes the forecast anew. When its token is another one, nothing is written and
// Code::conflict says what moved, a Cause for each line. Else the objects are written, each Org of
// the plan is bound to the planned artifact (reconcilers/org/planned.h), and the token is marked as
// applied: all of it in one transaction, or nothing (forecast/apply.h).
#pragma once

#include <stop_token>
#include <string>

#include "base/clock.h"
#include "base/json.h"
#include "forecast/forecaster.h"
#include "reconcilers/common/objects.h"

namespace atelier::forecast {

inline constexpr std::string_view plan_type = "atelier.dev/plan";  // of the Secret

// Thread-safe. Every call blocks as long as make_forecast() does. `stop` ends them with Code::cancelled.
class Forecasts {
  public:
    Forecasts(Tools tools, const Clock& clock, std::stop_token stop);

    // `spec`: {"objects": […], "org": "acme"}. The Plan as an object, with its token in
    // status.token, which is empty when nothing would happen.
    Result<json::Document> make(const std::string& ns, const json::Value& spec);
    // What would happen to that Org as it is. Nothing is kept, and there is no token.
    Result<json::Document> of_org(const std::string& ns, const std::string& org);
    // Code::not_found for a token that is not known or has expired. One that was applied is
    // answered with status.applied and does nothing.
    Result<json::Document> apply(const std::string& ns, const std::string& token);

  private:
    struct Kept;
    Result<Kept> find(const std::string& ns, const std::string& token, Instant now);
    Result<std::vector<std::string>> carry_out(const std::string& ns, const std::string& token,
                                               Kept& kept, Forecast& forecast, Instant now);
    Result<ProposedObject> secret_of(const std::string& ns, const std::string& token,
                                     const Kept& kept) const;
    Result<void> keep(const std::string& ns, const std::string& token, const Kept& kept,
                      Instant now);
    Result<void> make_room(const std::string& ns, Instant now);
    Result<Question> question_of(const std::string& ns, const json::Value& spec) const;
    std::string token_of(const Question& question, const Answer& answer) const;

    const Tools tools_;
    reconcilers::Objects objects_;
    const Clock& clock_;
    const std::stop_token stop_;
};

}  // namespace atelier::forecast
