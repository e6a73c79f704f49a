// What the statuses of several kinds have in common. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "crds/meta.h"

namespace atelier::reconcilers {

// The status as it was, begun anew: for the generation and the request to reconcile that are there
// now.
template <class Object>
typename Object::Status begun(const Object& object) {
    typename Object::Status status = object.status;
    status.observed_generation = object.meta.generation;
    status.last_handled_reconcile_at =
        object.meta.annotation(crds::annotation::reconcile_requested_at);
    return status;
}

// Sets a condition for the status's generation. A message of more than 2000 bytes is cut.
void set_condition(crds::StatusBase& status, std::string_view type, crds::ConditionStatus value,
                   std::string_view reason, std::string_view message, Instant now);

// When what failed with this is tried again: by itself and soon, at the next look at its source, or
// when somebody changed something.
enum class Retry { soon, at_interval, on_change };
Retry retry_of(Code code);

// The reason of a condition about a source that could not be read.
std::string_view reason_of_source(Code code);

}  // namespace atelier::reconcilers
