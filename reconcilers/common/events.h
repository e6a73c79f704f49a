// Events (core/v1) as values: pure functions decide which ones a reconcile records, one helper
// records them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "crds/core.h"
#include "crds/meta.h"
#include "reconcilers/common/objects.h"

namespace atelier::reconcilers {

struct ObjectEvent {
    crds::EventType type = crds::EventType::normal;
    std::string reason;
    std::string message;
};

// Records them about one object, in their order. A failure is logged and never returned.
template <class T>
void record_events(Objects& objects, const T& about, const std::vector<ObjectEvent>& events,
                   Instant now) {
    for (const ObjectEvent& event : events) {
        objects.event(about, event.type, event.reason, event.message, now);
    }
}

// The condition `type` of `next` when its reason is another than in `last`, or it was absent there;
// else nullptr. An event per change of reason, not per reconcile.
const crds::Condition* changed_reason(const crds::StatusBase& last, const crds::StatusBase& next,
                                      std::string_view type);

}  // namespace atelier::reconcilers
