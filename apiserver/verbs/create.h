// POST to a collection.
#pragma once

#include "apiserver/verbs/services.h"

namespace atelier::apiserver {

// Answers the call once, now or later.
void create_object(Services& services, const CallPtr& call);

}  // namespace atelier::apiserver
