// The entry point of each verb. run_x is defined in x.cc of this folder; it reads the session's
// arguments, prints, and returns the exit code of the process (run.h).
#pragma once

#include "cli/session/session.h"

namespace atelier::cli {

int run_adopt(Session& session);
int run_api_resources(Session& session);
int run_apply(Session& session);
int run_approve(Session& session);
int run_completion(Session& session);
int run_delete(Session& session);
int run_describe(Session& session);
int run_diff(Session& session);
int run_dismiss(Session& session);
int run_events(Session& session);
int run_follow(Session& session);
int run_get(Session& session);
int run_healthcheck(Session& session);
int run_history(Session& session);
int run_plan(Session& session);
int run_reconcile(Session& session);
int run_release(Session& session);
int run_resume(Session& session);
int run_revert(Session& session);
int run_suspend(Session& session);
int run_tree(Session& session);
int run_undelete(Session& session);
int run_updates(Session& session);
int run_version(Session& session);
int run_wait(Session& session);
int run_why(Session& session);

}  // namespace atelier::cli
