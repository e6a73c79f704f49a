// DELETE of one object.
#pragma once

#include "apiserver/verbs/services.h"

namespace atelier::apiserver {

// Answers the call once, now or later.
void delete_object(Services& services, const CallPtr& call);

}  // namespace atelier::apiserver
