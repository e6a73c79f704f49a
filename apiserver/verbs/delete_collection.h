// DELETE of a collection, or of what a selector leaves of it.
#pragma once

#include "apiserver/verbs/services.h"

namespace atelier::apiserver {

// Answers the call once, now or later.
void delete_objects(Services& services, const CallPtr& call);

}  // namespace atelier::apiserver
