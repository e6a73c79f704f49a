// What the verbs adopt and release share: whether an Org's template decides about a workspace.
#pragma once

#include <string>
#include <string_view>

#include "cli/session/session.h"
#include "crds/org.h"
#include "crds/workspace.h"

namespace atelier::cli {

// The server, the namespace and the two kinds that both verbs work on.
struct Parties {
    Client* client = nullptr;
    std::string ns;
    Resource workspaces;
    Resource orgs;
};
Result<Parties> parties_of(Session& session);

template <class T>
Result<T> read(const Parties& at, const Resource& resource, const std::string& name) {
    const json::Document object = TRY(at.client->get(resource, at.ns, name));
    return crds::decode<T>(static_cast<const json::Value&>(object));
}

// The Org that controls the workspace; nullptr when none does.
const crds::OwnerReference* org_of(const crds::Workspace& workspace);

// The patch that asks for one thing and withdraws a request for the other. `wanted` and `other` are
// annotation::adopt_by and annotation::released_from.
json::Document membership_request(std::string_view wanted, std::string_view other,
                                  const std::string& org);

// Waits until the Org controls the workspace (`owned`) or no longer does. Code::timeout says why
// the Org has not done it, as far as its status tells.
Result<void> await_owner(Session& session, const Parties& at, const std::string& org,
                         const std::string& name, bool owned, const Deadline& deadline);

// Runs one of the two verbs: checks the arguments and turns its result into an exit code.
int run_membership(Session& session, Result<int> (*verb)(Session&, const Deadline&));

}  // namespace atelier::cli
