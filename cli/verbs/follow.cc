// follow: an Org follows its template again, after revert had pinned it.
#include <ostream>

#include "cli/verbs/pinning.h"
#include "cli/verbs/verbs.h"

namespace atelier::cli {
namespace {

Result<int> follow(Session& session) {
    const OrgRevisions all = TRY(org_revisions(session, session.arguments.words[0]));
    if (all.org.spec.revision.empty()) {
        session.out() << "org.atelier.dev/" << all.org.meta.name
                      << " follows its template already\n";
        return exit_code::fine;
    }
    return pin_org(session, all, "");
}

}  // namespace

int run_follow(Session& session) {
    if (session.arguments.words.size() != 1) return session.usage("name one org");
    const auto code = follow(session);
    return code ? *code : session.fail(code.error());
}

}  // namespace atelier::cli
