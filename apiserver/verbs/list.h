// GET of a collection, whole or in pages.
#pragma once

#include "apiserver/verbs/services.h"

namespace atelier::apiserver {

// Answers the call once, now or later.
void list_objects(Services& services, const CallPtr& call);

}  // namespace atelier::apiserver
