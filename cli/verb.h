// The verbs: what they are called, how they are used, and the function behind each.
#pragma once

#include <string_view>
#include <vector>

#include "cli/session.h"

namespace atelier::cli {

struct Verb {
    std::string_view name;
    std::string_view summary;   // one line
    std::string_view usage;     // after "atelier "
    std::string_view examples;  // lines, each a command
    std::vector<Flag> flags;    // beside the global ones
    int (*run)(Session&) = nullptr;
};

const std::vector<Verb>& verbs();
const std::vector<Flag>& global_flags();

int run_apply(Session& session);
int run_plan(Session& session);
int run_get(Session& session);
int run_describe(Session& session);
int run_delete(Session& session);
int run_undelete(Session& session);
int run_adopt(Session& session);
int run_release(Session& session);
int run_tree(Session& session);
int run_events(Session& session);
int run_updates(Session& session);
int run_approve(Session& session);
int run_dismiss(Session& session);
int run_reconcile(Session& session);
int run_suspend(Session& session);
int run_resume(Session& session);
int run_wait(Session& session);
int run_api_resources(Session& session);
int run_version(Session& session);
int run_healthcheck(Session& session);

}  // namespace atelier::cli
