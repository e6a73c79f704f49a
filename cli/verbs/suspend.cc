#include "cli/verbs/suspension.h"
#include "cli/verbs/verbs.h"

namespace atelier::cli {

int run_suspend(Session& session) {
    return set_suspended(session, true);
}

}  // namespace atelier::cli
