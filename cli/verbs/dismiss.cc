#include "cli/verbs/decision.h"
#include "cli/verbs/verbs.h"

namespace atelier::cli {

int run_dismiss(Session& session) {
    return run_decision(session, crds::Decision::dismiss);
}

}  // namespace atelier::cli
