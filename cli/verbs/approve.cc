#include "cli/verbs/decision.h"
#include "cli/verbs/verbs.h"

namespace atelier::cli {

int run_approve(Session& session) {
    return run_decision(session, crds::Decision::approve);
}

}  // namespace atelier::cli
