// What the statuses of several kinds have in common. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "crds/meta.h"

namespace atelier::reconcilers {

// A copy of the object's status that echoes the generation and the request to reconcile that the
// object has now.
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

// What a condition is to say.
struct Verdict {
    crds::ConditionStatus status = crds::ConditionStatus::unknown;
    std::string reason;
    std::string message;
};
Verdict yes(std::string_view reason, std::string message);
Verdict no(std::string_view reason, std::string message);
Verdict unknown(std::string_view reason, std::string message);
void set_condition(crds::StatusBase& status, std::string_view type, const Verdict& verdict,
                   Instant now);

// A condition that is True while something is unusual, and absent otherwise.
void set_condition_if(bool unusual, crds::StatusBase& status, std::string_view type,
                      std::string_view reason, std::string_view message, Instant now);

// Sets what an object says that is being deleted and of which nothing is left but its entry in the
// store, because finalizers of other controllers hold it: Ready is False, Reconciling True.
void set_terminating(crds::StatusBase& status, const std::vector<std::string>& finalizers,
                     Instant now);

template <class Object>
typename Object::Status terminating_status(const Object& object, Instant now) {
    auto status = begun(object);
    set_terminating(status, object.meta.finalizers, now);
    return status;
}

// When what failed with this code is tried again: soon and by itself, at the next interval of the
// source, or once somebody has changed something.
enum class Retry { soon, at_interval, on_change };
Retry retry_of(Code code);

// The reason of a condition about a source that could not be read.
std::string_view reason_of_source(Code code);

}  // namespace atelier::reconcilers
