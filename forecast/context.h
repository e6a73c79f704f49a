// What the parts of one preview share: the two worlds, and the answer as it grows.
#pragma once

#include <map>
#include <stop_token>
#include <string>

#include "forecast/forecaster.h"
#include "reconcilers/common/objects.h"
#include "store/overlay.h"

namespace atelier::forecast {

// Used by one thread. What it is made with outlives it.
struct ForecastContext {
    ForecastContext(const Tools& used, const Question& request, Instant at,
                    const std::stop_token& ends);

    // What the plan stands on: applied only while this is as it is now. Idempotent.
    void note_base(const Key& key);
    // Whether the object is one of those that would be applied.
    bool gives(const Key& key) const;
    bool gives_any(std::string_view resource) const;
    void block(Blocker blocker) { answer.forecast.blockers.push_back(std::move(blocker)); }
    void add_suspended(const std::string& org);
    Result<void> check_stop() const;  // Code::cancelled

    const Tools& tools;
    const Question& question;
    const Instant now;
    const std::stop_token& stop;
    store::Overlay overlay;
    store::OverlayBase before_store;
    reconcilers::Objects after;   // as it would be
    reconcilers::Objects before;  // as it is
    Answer answer;                // its bases are in `bases` until the end
    std::map<Key, Base> bases;
};

// Of Secrets and ConfigMaps.
bool holds_values(std::string_view resource);
// By name; none when there is no such object.
std::map<std::string, std::string> values_of(const store::ObjectPtr& object);

}  // namespace atelier::forecast
