// adopt, release: whether an Org's template has a say in a workspace.
#include <ostream>

#include "cli/await.h"
#include "cli/verb.h"
#include "crds/deleted_workspace.h"
#include "crds/org.h"

namespace atelier::cli {
namespace {

using crds::Org;
using crds::Workspace;

struct Parties {
    Client* client = nullptr;
    std::string ns;
    Resource workspaces;
    Resource orgs;
};

Result<Parties> parties_of(Session& session) {
    Parties out;
    out.client = TRY(session.client());
    out.ns = TRY(session.ns());
    out.workspaces = TRY(out.client->resolve(Workspace::Spec::resource));
    out.orgs = TRY(out.client->resolve(Org::Spec::resource));
    return out;
}

template <class T>
Result<T> read(const Parties& at, const Resource& resource, const std::string& name) {
    const json::Document object = TRY(at.client->get(resource, at.ns, name));
    return crds::decode<T>(static_cast<const json::Value&>(object));
}

const crds::OwnerReference* org_of(const Workspace& workspace) {
    const crds::OwnerReference* owner = workspace.meta.controller();
    return owner && owner->kind == crds::OrgSpec::kind ? owner : nullptr;
}

// Either request takes the other one back.
json::Document request(std::string_view wanted, std::string_view other, const std::string& org) {
    json::Document out(rapidjson::kObjectType);
    auto& allocator = out.GetAllocator();
    json::Value& notes =
        json::object_at(json::object_at(out, "metadata", allocator), "annotations", allocator);
    json::set(notes, wanted, org, allocator);
    json::set(notes, other, json::Value(), allocator);
    return out;
}

// Takes a request to adopt it back. An Org that cannot do it now would do it as soon as it can.
Result<void> withdraw(const Parties& at, const std::string& name) {
    json::Document out(rapidjson::kObjectType);
    auto& allocator = out.GetAllocator();
    json::set(
        json::object_at(json::object_at(out, "metadata", allocator), "annotations", allocator),
        crds::annotation::adopt_by, json::Value(), allocator);
    TRY(at.client->merge_patch(at.workspaces, at.ns, name, out));
    return {};
}

// Why the Org has not done it, as far as it says so.
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

// Until the Org has it, or has it no more.
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
    return Error{
        Code::timeout,
        "the Org " + org + " has not done it yet" +
            (why.empty() ? "; to see why: atelier why org " + org : ": " + why) +
            (owned ? "; it is still asked to: to take that back, atelier release " + name : "")};
}

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
                                             ", which must give it up first: atelier release " +
                                             name};
        }
        TRY(read<Org>(at, at.orgs, org));
        TRY(at.client->merge_patch(
            at.workspaces, at.ns, name,
            request(crds::annotation::adopt_by, crds::annotation::released_from, org)));
        TRY(await_owner(session, at, org, name, true, deadline));
        session.out() << name_of_object(at.workspaces, name) << " is of Org " << org
                      << " now, as its template says\n"
                      << std::flush;
    }
    return exit_code::fine;
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
        TRY(at.client->merge_patch(
            at.workspaces, at.ns, name,
            request(crds::annotation::released_from, crds::annotation::adopt_by, owner->name)));
        TRY(await_owner(session, at, owner->name, name, false, deadline));
        session.out() << name_of_object(at.workspaces, name) << " is no longer of Org "
                      << owner->name << "\n"
                      << std::flush;
        session.err() << "It stays as it is. To go back: atelier adopt " << name << " --org "
                      << owner->name << "\n";
    }
    return exit_code::fine;
}

int run_either(Session& session, Result<int> (*what)(Session&, const Deadline&)) {
    if (session.arguments.words.empty()) return session.usage("name a workspace");
    const auto deadline = Deadline::of(session);
    if (!deadline) return session.usage(deadline.error().message);
    const auto code = what(session, *deadline);
    if (code) return *code;
    if (code.error().code == Code::cancelled) {
        return session.interrupted_watching("atelier get ws " + session.arguments.words[0] + " -w");
    }
    return session.fail(code.error());
}

}  // namespace

int run_adopt(Session& session) {
    return run_either(session, adopt);
}
int run_release(Session& session) {
    return run_either(session, release);
}

}  // namespace atelier::cli
