// A forecast: what would happen if some objects were applied. The real reconcilers of OrgTemplate
// and Org run over an overlay of the store until nothing changes, and what they wrote there is
// compared with what is stored. Neither the store nor a runtime is changed. Trees that are compiled
// on the way go to the tree store, whose garbage collection removes those that nothing refers to.
#pragma once

#include <map>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "forecast/dependencies.h"
#include "forecast/forecast.h"
#include "forecast/proposed_objects.h"

namespace atelier::forecast {

struct Request {
    std::string ns;
    std::vector<json::Document> objects;  // as a person would apply them, whole
    std::string org;                      // an Org of `ns` to reconcile as it is; may be empty
};

// The state of one stored object that the forecast depends on.
struct Precondition {
    Key key;
    Revision revision = 0;  // 0: the object did not exist
    std::string uid;
    std::string digest;  // keyed, over desired_state_of(); empty: the object did not exist
};

struct ForecastResult {
    std::string ns;
    Forecast forecast;
    std::vector<ProposedObject> proposed;
    std::vector<Precondition> preconditions;  // of all proposed or changing objects, by key
    // The values that workspaces would get: "Org acme: the org's .env: TOKEN" to its fingerprint.
    std::map<std::string, std::string> values;
    std::set<std::string>
        behind;  // OrgTemplates that have not read the newest state of their source
};

// Blocks for as long as fetching takes. Errors: invalid (with causes) and not_found for a request
// that cannot be answered; cancelled once `stop` is requested. A template that cannot be fetched or
// compiled is no error but a blocker. Thread-safe.
Result<ForecastResult> make_forecast(const Dependencies& dependencies, const Request& request,
                                     Instant now, const std::stop_token& stop);

}  // namespace atelier::forecast
