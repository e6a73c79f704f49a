#include "cli/verbs/membership.h"

#include "cli/objects/await.h"

namespace atelier::cli {
namespace {

using crds::Org;
using crds::Workspace;

// Why the Org has not done it, as far as its status says; empty when it does not say.
std::string reason_of(const Parties& at, const std::string& org_name, const std::string& name) {
    const auto org = read<Org>(at, at.orgs, org_name);
    if (!org) return org.error().message;
    if (org->spec.suspend) {
        return "the Org is suspended; it goes on after: atelier resume org " + org_name;
    }
    const crds::Condition* refused = org->status.find("AdoptionRefused");
    if (refused && refused->message.find(name + ": ") != std::string::npos) return refused->message;
    return {};
}

}  // namespace

Result<Parties> parties_of(Session& session) {
    Parties out;
    out.client = TRY(session.client());
    out.ns = TRY(session.ns());
    out.workspaces = TRY(out.client->resolve(Workspace::Spec::resource));
    out.orgs = TRY(out.client->resolve(Org::Spec::resource));
    return out;
}

const crds::OwnerReference* org_of(const crds::Workspace& workspace) {
    const crds::OwnerReference* owner = workspace.meta.controller();
    return owner && owner->kind == crds::OrgSpec::kind ? owner : nullptr;
}

json::Document membership_request(std::string_view wanted, std::string_view other,
                                  const std::string& org) {
    json::Document out(rapidjson::kObjectType);
    auto& allocator = out.GetAllocator();
    json::Value& notes =
        json::object_at(json::object_at(out, "metadata", allocator), "annotations", allocator);
    json::set(notes, wanted, org, allocator);
    json::set(notes, other, json::Value(), allocator);
    return out;
}

Result<void> await_owner(Session& session, const Parties& at, const std::string& org,
                         const std::string& name, bool owned, const Deadline& deadline) {
    std::string why;
    const auto done = await(session, *at.client, {at.workspaces, at.ns, name}, deadline,
                            [&](const json::Value* object) {
                                const auto workspace = object ? crds::decode<Workspace>(*object)
                                                              : Result<Workspace>(Workspace());
                                const auto* owner = workspace ? org_of(*workspace) : nullptr;
                                return object && (owner && owner->name == org) == owned;
                            });
    if (done || done.error().code != Code::timeout) return done;
    why = reason_of(at, org, name);
    return Error{Code::timeout,
                 "the Org " + org + " has not " + (owned ? "adopted" : "released") + " it yet" +
                     (why.empty() ? "; to see why: atelier why org " + org : ": " + why) +
                     (owned ? "; the request stays; to withdraw it: atelier release " + name : "")};
}

int run_membership(Session& session, Result<int> (*verb)(Session&, const Deadline&)) {
    if (session.arguments.words.empty()) return session.usage("name a workspace");
    const auto deadline = Deadline::of(session);
    if (!deadline) return session.usage(deadline.error().message);
    const auto code = verb(session, *deadline);
    if (code) return *code;
    if (code.error().code == Code::cancelled) {
        return session.interrupted_watching("atelier get ws " + session.arguments.words[0] + " -w");
    }
    return session.fail(code.error());
}

}  // namespace atelier::cli
