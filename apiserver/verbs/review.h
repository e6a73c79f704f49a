// POST of a review: a question about who somebody is and what they may do.
#pragma once

#include "apiserver/request/call.h"

namespace atelier::apiserver {

// Answers the call once, now or later.
void create_review(const Authentication& authentication, const CallPtr& call);

}  // namespace atelier::apiserver
