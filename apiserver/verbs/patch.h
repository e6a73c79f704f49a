// PATCH, of an object and of its subresources.
#pragma once

#include "apiserver/verbs/services.h"

namespace atelier::apiserver {

// Answers the call once, now or later.
void patch_object(Services& services, const CallPtr& call);

}  // namespace atelier::apiserver
