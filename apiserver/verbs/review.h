// POST of a review: a question about who is asking and what he may do.
#pragma once

#include "apiserver/request/call.h"

namespace atelier::apiserver {

// Answers the call once, now or later.
void create_review(const CallPtr& call);

}  // namespace atelier::apiserver
