// undelete: lists the deleted workspaces whose volumes are kept, and brings one back.
#include <algorithm>
#include <ostream>

#include "base/text.h"
#include "cli/objects/await.h"
#include "cli/output/text_table.h"
#include "cli/verbs/verbs.h"
#include "crds/deleted_workspace.h"

namespace atelier::cli {
namespace {

using crds::DeletedWorkspace;

// The workspace that was deleted last comes first.
Result<std::vector<DeletedWorkspace>> all_kept(Client& client, const Resource& resource,
                                               const std::string& ns) {
    std::vector<DeletedWorkspace> out;
    for (const auto& item : TRY(client.items(resource, ns))) {
        auto kept = TRY(crds::decode<DeletedWorkspace>(static_cast<const json::Value&>(item)));
        if (!kept.being_deleted()) out.push_back(std::move(kept));
    }
    std::stable_sort(out.begin(), out.end(), [](const auto& a, const auto& b) {
        return a.spec.deleted_at > b.spec.deleted_at;
    });
    return out;
}

std::string ago(const std::optional<Instant>& then, Instant now) {
    return then ? human_age(std::max(Duration::zero(), now - *then)) : "-";
}
std::string left(const DeletedWorkspace& kept, Instant now) {
    if (!kept.spec.expires_at) return "-";
    return kept.spec.expires_at <= now ? "now" : human_age(*kept.spec.expires_at - now);
}

Result<int> list_kept(Session& session) {
    Client* const client = TRY(session.client());
    const std::string ns = TRY(session.ns());
    const Resource resource = TRY(client->resolve(DeletedWorkspace::Spec::resource));
    const auto all = TRY(all_kept(*client, resource, ns));
    if (all.empty()) {
        session.err()
            << "There is nothing to bring back: the volumes of no deleted workspace are kept.\n";
        return exit_code::fine;
    }
    TextTable table({"NAME", "WORKSPACE", "ORG", "DELETED", "EXPIRES IN"});
    for (const DeletedWorkspace& kept : all) {
        table.add({kept.meta.name, kept.spec.workspace, kept.spec.org.empty() ? "-" : kept.spec.org,
                   ago(kept.spec.deleted_at, session.now()) + " ago", left(kept, session.now())});
    }
    session.out() << table.take_text(true);
    session.err() << "To bring one back: atelier undelete NAME\n";
    return exit_code::fine;
}

// `name` is that of the DeletedWorkspace, or that of the workspace when only one of it is kept.
Result<DeletedWorkspace> find_kept(Session& session, Client& client, const Resource& resource,
                                   const std::string& ns, const std::string& name) {
    std::vector<DeletedWorkspace> meant;
    std::vector<std::string> names;
    for (DeletedWorkspace& kept : TRY(all_kept(client, resource, ns))) {
        if (kept.meta.name == name) return std::move(kept);
        names.push_back(kept.spec.workspace);
        if (kept.spec.workspace == name) meant.push_back(std::move(kept));
    }
    if (meant.size() == 1) return std::move(meant.front());
    if (meant.empty()) {
        const auto near = did_you_mean(name, names);
        return Error{Code::not_found, "no volumes are kept of a workspace \"" + name + "\"" +
                                          (near ? ", did you mean " + *near + "?" : "") +
                                          "; `atelier undelete` lists what is kept"};
    }
    std::vector<std::string> words;
    for (const DeletedWorkspace& kept : meant) {
        words.push_back(kept.meta.name + " (deleted " + ago(kept.spec.deleted_at, session.now()) +
                        " ago)");
    }
    return Error{Code::conflict, "\"" + name + "\" was deleted " + std::to_string(meant.size()) +
                                     " times; name one of these: " + join(words, ", ")};
}

json::Document restore_patch(const DeletedWorkspace& kept, const std::string& as) {
    json::Document out(rapidjson::kObjectType);
    auto& allocator = out.GetAllocator();
    json::set(json::object_at(out, "metadata", allocator), "resourceVersion",
              std::to_string(kept.meta.revision), allocator);
    json::Value& spec = json::object_at(out, "spec", allocator);
    json::set(spec, "restore", json::Value(true), allocator);
    if (!as.empty()) json::set(spec, "restoreAs", as, allocator);
    return out;
}

// The server removes the DeletedWorkspace once the workspace is back. Until then the record's Ready
// condition says what is in the way.
Result<void> await_back(Session& session, Client& client, const Awaited& record,
                        const Deadline& deadline) {
    std::string obstacle;
    const auto gone = await(session, client, record, deadline, [&](const json::Value* object) {
        if (!object) return true;
        const auto kept = crds::decode<DeletedWorkspace>(*object);
        const crds::Condition* ready = kept ? kept->status.find(crds::condition::ready) : nullptr;
        const bool speaks = ready && ready->observed_generation == kept->meta.generation;
        obstacle = speaks && ready->status != crds::ConditionStatus::yes ? ready->message : "";
        return speaks && kept->status.is_true(crds::condition::stalled);
    });
    if (gone && obstacle.empty()) return {};
    if (!gone && gone.error().code != Code::timeout) return gone.error();
    const Code code = gone ? Code::conflict : Code::timeout;
    return Error{code, "\"" + record.name + "\" is not back" +
                           (obstacle.empty() ? "; to see why: atelier why dw " + record.name
                                             : ": " + obstacle)};
}

Result<int> undelete(Session& session, const Deadline& deadline) {
    std::string word = session.arguments.words[0];
    word = word.substr(word.find('/') + 1);
    Client* const client = TRY(session.client());
    const std::string ns = TRY(session.ns());
    const Resource resource = TRY(client->resolve(DeletedWorkspace::Spec::resource));
    const Resource workspaces = TRY(client->resolve(crds::WorkspaceSpec::resource));
    const DeletedWorkspace kept = TRY(find_kept(session, *client, resource, ns, word));
    const std::string as = session.arguments.text("as");
    const std::string name = as.empty() ? kept.spec.workspace : as;
    const auto there = client->get(workspaces, ns, name);
    if (!there && there.error().code != Code::not_found) return there.error();
    if (there) {
        return Error{Code::conflict, "there is a workspace \"" + name +
                                         "\" already; to bring this one back beside it: atelier "
                                         "undelete " +
                                         kept.meta.name + " --as NAME"};
    }
    TRY(client->merge_patch(resource, ns, kept.meta.name, restore_patch(kept, as)));
    TRY(await_back(session, *client, {resource, ns, kept.meta.name}, deadline));
    session.out() << name_of_object(workspaces, name) << " is back, with its volumes\n"
                  << std::flush;
    session.err() << "No org owns it. To watch it: atelier get ws " << name << " -w\n";
    return exit_code::fine;
}

}  // namespace

int run_undelete(Session& session) {
    if (session.arguments.words.size() > 1)
        return session.usage("undelete takes one name, or none to list what is kept");
    if (session.arguments.words.empty()) {
        const auto code = list_kept(session);
        return code ? *code : session.fail(code.error());
    }
    const auto deadline = Deadline::of(session);
    if (!deadline) return session.usage(deadline.error().message);
    const auto code = undelete(session, *deadline);
    if (code) return *code;
    if (code.error().code == Code::cancelled) {
        return session.interrupted_watching("atelier undelete");
    }
    return session.fail(code.error());
}

}  // namespace atelier::cli
