// release: asks an Org to give up the control of workspaces. They keep running as they are.
#include <ostream>

#include "cli/verbs/membership.h"
#include "cli/verbs/verbs.h"
#include "crds/deleted_workspace.h"

namespace atelier::cli {
namespace {

using crds::Workspace;

// Withdraws a request to adopt the workspace: an Org that cannot fulfil it now would do so later.
Result<void> withdraw(const Parties& at, const std::string& name) {
    json::Document out(rapidjson::kObjectType);
    auto& allocator = out.GetAllocator();
    json::set(
        json::object_at(json::object_at(out, "metadata", allocator), "annotations", allocator),
        crds::annotation::adopt_by, json::Value(), allocator);
    TRY(at.client->merge_patch(at.workspaces, at.ns, name, out));
    return {};
}

Result<int> release(Session& session, const Deadline& deadline) {
    const Parties at = TRY(parties_of(session));
    for (const std::string& name : session.arguments.words) {
        const auto workspace = TRY(read<Workspace>(at, at.workspaces, name));
        const auto* owner = org_of(workspace);
        if (!owner) {
            const std::string asked = workspace.meta.annotation(crds::annotation::adopt_by);
            if (!asked.empty()) TRY(withdraw(at, name));
            session.out() << name_of_object(at.workspaces, name) << " is of no Org"
                          << (asked.empty() ? "" : ", and Org " + asked + " is no longer asked for")
                          << "\n";
            continue;
        }
        TRY(at.client->merge_patch(at.workspaces, at.ns, name,
                                   membership_request(crds::annotation::released_from,
                                                      crds::annotation::adopt_by, owner->name)));
        TRY(await_owner(session, at, owner->name, name, false, deadline));
        session.out() << name_of_object(at.workspaces, name) << " is no longer of Org "
                      << owner->name << "\n"
                      << std::flush;
        session.err() << "It keeps running as it is. To undo this: atelier adopt " << name
                      << " --org " << owner->name << "\n";
    }
    return exit_code::fine;
}

}  // namespace

int run_release(Session& session) {
    return run_membership(session, release);
}

}  // namespace atelier::cli
