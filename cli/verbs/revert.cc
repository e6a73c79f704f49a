// revert: pins an Org to another revision of its template.
#include <ostream>

#include "cli/output/text_table.h"
#include "cli/verbs/pinning.h"
#include "cli/verbs/verbs.h"
#include "crds/template_revision.h"

namespace atelier::cli {
namespace {

Result<int> revert(Session& session) {
    const OrgRevisions all = TRY(org_revisions(session, session.arguments.words[0]));
    const std::string revision = TRY(all.name_of(session.arguments.text("to")));
    if (all.org.spec.revision == revision) {
        session.out() << "org.atelier.dev/" << all.org.meta.name << " is pinned to "
                      << printable(crds::short_revision(revision)) << " already\n";
        return exit_code::fine;
    }
    return pin_org(session, all, revision);
}

}  // namespace

int run_revert(Session& session) {
    if (session.arguments.words.size() != 1 || session.arguments.text("to").empty()) {
        return session.usage(
            "name an org and a revision: atelier revert ORG --to REVISION; "
            "`atelier history ORG` lists them");
    }
    const auto code = revert(session);
    return code ? *code : session.fail(code.error());
}

}  // namespace atelier::cli
