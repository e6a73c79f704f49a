// What the verbs suspend and resume share.
#pragma once

#include "cli/session/session.h"

namespace atelier::cli {

// Sets or clears spec.suspend of the objects that the arguments name, with the annotations that say
// who suspended them and why. Returns the exit code.
int set_suspended(Session& session, bool suspend);

}  // namespace atelier::cli
