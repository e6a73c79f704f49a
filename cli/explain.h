// Verbs that explain: what an object waits for, and what may be typed.
#pragma once

#include "cli/session.h"

namespace atelier::cli {

int run_why(Session& session);
int run_completion(Session& session);

}  // namespace atelier::cli
