#include "reconcilers/common/events.h"

namespace atelier::reconcilers {

const crds::Condition* changed_reason(const crds::StatusBase& last, const crds::StatusBase& next,
                                      std::string_view type) {
    const crds::Condition* before = last.find(type);
    const crds::Condition* after = next.find(type);
    if (!after || (before && before->reason == after->reason)) return nullptr;
    return after;
}

}  // namespace atelier::reconcilers
