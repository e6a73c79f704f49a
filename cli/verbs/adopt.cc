// adopt: asks an Org to take workspaces that its template has.
#include <ostream>

#include "cli/verbs/membership.h"
#include "cli/verbs/verbs.h"
#include "crds/deleted_workspace.h"

namespace atelier::cli {
namespace {

using crds::Org;
using crds::Workspace;

Result<int> adopt(Session& session, const Deadline& deadline) {
    const Parties at = TRY(parties_of(session));
    for (const std::string& name : session.arguments.words) {
        const auto workspace = TRY(read<Workspace>(at, at.workspaces, name));
        std::string org = session.arguments.text("org");
        if (org.empty()) org = workspace.spec.org;
        if (org.empty()) return Error{Code::invalid, "which Org? adopt " + name + " --org ORG"};
        if (const auto* owner = org_of(workspace)) {
            if (owner->name == org) {
                session.out() << name_of_object(at.workspaces, name) << " is of Org " << org
                              << " already\n";
                continue;
            }
            return Error{Code::conflict, "workspace \"" + name + "\" is of Org " + owner->name +
                                             ", which must release it first: atelier release " +
                                             name};
        }
        TRY(read<Org>(at, at.orgs, org));
        TRY(at.client->merge_patch(
            at.workspaces, at.ns, name,
            membership_request(crds::annotation::adopt_by, crds::annotation::released_from, org)));
        TRY(await_owner(session, at, org, name, true, deadline));
        session.out() << name_of_object(at.workspaces, name) << " is of Org " << org
                      << " now, as its template says\n"
                      << std::flush;
    }
    return exit_code::fine;
}

}  // namespace

int run_adopt(Session& session) {
    return run_membership(session, adopt);
}

}  // namespace atelier::cli
