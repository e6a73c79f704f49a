#include "cli/verbs/suspension.h"
#include "cli/verbs/verbs.h"

namespace atelier::cli {

int run_resume(Session& session) {
    return set_suspended(session, false);
}

}  // namespace atelier::cli
