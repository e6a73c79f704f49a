// What the steps of one forecast share: the store as it is, the overlay with the proposed changes,
// and the result as it grows.
#pragma once

#include <map>
#include <stop_token>
#include <string>

#include "forecast/make_forecast.h"
#include "reconcilers/common/objects.h"
#include "store/overlay.h"

namespace atelier::forecast {

// Used by one thread. What it is made with outlives it.
struct ForecastContext {
    ForecastContext(const Dependencies& used, const Request& asked, Instant at,
                    const std::stop_token& ends);

    // The forecast may be applied only while this object is as it is now. Idempotent.
    void require_unchanged(const Key& key);
    // Whether the object is one of those that the request proposes.
    bool proposes(const Key& key) const;
    bool proposes_any(std::string_view resource) const;
    void block(Blocker blocker) { result.forecast.blockers.push_back(std::move(blocker)); }
    void block_suspended(const std::string& org);
    Result<void> check_stop() const;  // Code::cancelled

    const Dependencies& dependencies;
    const Request& request;
    const Instant now;
    const std::stop_token& stop;
    store::Overlay overlay;
    store::OverlayBase before_store;
    reconcilers::Objects after;   // through the overlay: as it would be
    reconcilers::Objects before;  // as it is, at the moment when the overlay was made
    ForecastResult result;        // without its preconditions, which are collected below
    std::map<Key, Precondition> preconditions;
};

// Secrets and ConfigMaps.
bool holds_values(std::string_view resource);
// The values of a Secret or ConfigMap, by name; empty for nullptr.
std::map<std::string, std::string> values_of(const store::ObjectPtr& object);

}  // namespace atelier::forecast
