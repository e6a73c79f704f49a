// GET with watch=true: the events of a collection, or of one object.
#pragma once

#include "apiserver/verbs/services.h"

namespace atelier::apiserver {

// Answers the call once, now or later.
void watch_objects(Services& services, const CallPtr& call);

}  // namespace atelier::apiserver
