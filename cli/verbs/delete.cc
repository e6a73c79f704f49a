#include <ostream>

#include "base/text.h"
#include "cli/objects/await.h"
#include "cli/objects/conditions.h"
#include "cli/objects/manifests.h"
#include "cli/output/text_table.h"
#include "cli/verbs/delete_workspaces.h"
#include "cli/verbs/verbs.h"

namespace atelier::cli {
namespace {

struct Deleted {
    Awaited object;
    std::string uid;  // of the deleted object; empty when the server did not answer with one
};

// The objects of the files, the last one first: `apply` made them in the order of the files.
Result<std::vector<Awaited>> from_files(Session& session, Client& client, const std::string& ns) {
    const Manifests manifests =
        TRY(read_manifests(session.arguments.list("filename"), session.arguments.on("recursive"),
                           session.terminal.in));
    if (!manifests.errors.empty()) return manifests.errors.front();
    std::vector<Awaited> out;
    for (auto it = manifests.objects.rbegin(); it != manifests.objects.rend(); ++it) {
        auto resource = client.resolve_kind(json::string_at(it->object, {"apiVersion"}),
                                            json::string_at(it->object, {"kind"}));
        if (!resource) return resource.error().in(it->place());
        std::string own = json::string_at(it->object, {"metadata", "namespace"});
        std::string name = json::string_at(it->object, {"metadata", "name"});
        if (name.empty()) return Error{Code::invalid, it->place() + ": metadata.name: is required"};
        if (!resource->namespaced) own.clear();
        if (resource->namespaced && own.empty()) own = ns;
        out.push_back({*std::move(resource), std::move(own), std::move(name)});
    }
    return out;
}

Result<std::vector<Awaited>> from_words(Session& session, Client& client, const std::string& ns) {
    const auto& words = session.arguments.words;
    const std::string selector = session.arguments.text("selector");
    std::vector<Awaited> out;
    if (selector.empty() && !session.arguments.on("all")) {
        for (auto& target : TRY(targets_of(session, words))) {
            out.push_back({std::move(target.resource), ns, std::move(target.name)});
        }
        return out;
    }
    if (words.size() != 1)
        return Error{Code::invalid, "with -l or --all, give kinds (KIND[,KIND]) and no names"};
    Query query;
    if (!selector.empty()) query.emplace_back("labelSelector", selector);
    for (const Resource& resource : TRY(resources_of(client, words[0]))) {
        for (const auto& item : TRY(client.items(resource, ns, query))) {
            out.push_back({resource, ns, json::string_at(item, {"metadata", "name"})});
        }
    }
    return out;
}

Result<std::string> policy_of(const std::string& cascade) {
    if (cascade == "background" || cascade == "true") return std::string("Background");
    if (cascade == "foreground") return std::string("Foreground");
    if (cascade == "orphan" || cascade == "false") return std::string("Orphan");
    return Error{Code::invalid,
                 "--cascade is background, foreground or orphan, not \"" + cascade + "\""};
}

Result<Deleted> delete_one(Client& client, const Awaited& object, const std::string& policy,
                           bool dry_run) {
    json::Document options(rapidjson::kObjectType);
    auto& allocator = options.GetAllocator();
    json::set(options, "kind", "DeleteOptions", allocator);
    json::set(options, "apiVersion", "v1", allocator);
    json::set(options, "propagationPolicy", policy, allocator);
    Call call{"DELETE", object.resource.path(object.ns, object.name)};
    if (dry_run) call.query.emplace_back("dryRun", "All");
    call.content_type = "application/json";
    call.body = json::text(options);
    const json::Document answer = TRY(client.call(call));
    std::string uid = json::string_at(answer, {"details", "uid"});
    if (uid.empty()) uid = json::string_at(answer, {"metadata", "uid"});
    return Deleted{object, std::move(uid)};
}

// Marks the object so that its volumes are kept, then deletes it. When the deletion fails the mark
// is removed again: it would take effect on a later deletion.
Result<Deleted> delete_kept(Client& client, const Awaited& object, const std::string& policy,
                            const std::string& keep, bool dry_run) {
    const bool marks = !keep.empty() && !dry_run;
    if (marks) TRY(mark_to_keep(client, object, keep));
    auto done = delete_one(client, object, policy, dry_run);
    if (!done && marks) (void)unmark(client, object);
    return done;
}

// exit_code::fine once all of them are gone. After the deadline it reports what the first of the
// remaining ones is held by.
Result<int> await_gone(Session& session, Client& client, const std::vector<Deleted>& all,
                       const Deadline& deadline) {
    for (const Deleted& one : all) {
        Holdup holdup;
        const auto gone =
            await(session, client, one.object, deadline, [&](const json::Value* object) {
                if (!object) return true;
                holdup = holdup_of(*object);
                const std::string uid = json::string_at(*object, {"metadata", "uid"});
                return !one.uid.empty() &&
                       uid != one.uid;  // another object of that name exists now
            });
        if (gone) continue;
        if (gone.error().code != Code::timeout) return gone.error();
        session.fail(Error{Code::timeout, gone.error().message + holdup.words});
        return holdup.code;
    }
    return exit_code::fine;
}

Result<int> delete_all(Session& session, const std::string& policy, const Deadline& deadline) {
    Client* const client = TRY(session.client());
    const std::string ns = TRY(session.ns());
    const bool dry_run = session.arguments.text("dry-run") == "server";
    const bool by_file = session.arguments.given("filename");
    auto objects =
        TRY(by_file ? from_files(session, *client, ns) : from_words(session, *client, ns));
    if (objects.empty()) session.err() << "No resources found.\n";
    const std::string keep = TRY(keep_volumes_until(session));
    TRY(settle_children(session, *client, objects, dry_run));
    std::vector<Deleted> deleted;
    int code = exit_code::fine;
    for (const Awaited& object : objects) {
        auto done = delete_kept(*client, object, policy, keep, dry_run);
        if (!done) {
            const bool absent = done.error().code == Code::not_found;
            if (absent && session.arguments.on("ignore-not-found")) continue;
            if (done.error().code == Code::cancelled) return done.error();
            code = session.fail(done.error());
            continue;
        }
        session.out() << object.resource.name_prefix() << " \"" << printable(object.name)
                      << "\" deleted" << (dry_run ? " (server dry run)" : "") << "\n"
                      << std::flush;
        deleted.push_back(*std::move(done));
    }
    if (!dry_run && session.arguments.on("wait")) {
        const int waited = TRY(await_gone(session, *client, deleted, deadline));
        if (waited != exit_code::fine) return waited;
    }
    return code;
}

}  // namespace

int run_delete(Session& session) {
    if (session.arguments.words.empty() && !session.arguments.given("filename")) {
        return session.usage("name what to delete: KIND NAME, or -f FILE");
    }
    if (!session.arguments.words.empty() && session.arguments.given("filename")) {
        return session.usage("delete takes objects or files, not both");
    }
    const std::string dry_run = session.arguments.text("dry-run");
    if (!dry_run.empty() && dry_run != "server" && dry_run != "none") {
        return session.usage("the dry run is \"server\" or \"none\", not \"" + dry_run + "\"");
    }
    const auto policy = policy_of(session.arguments.text("cascade"));
    if (!policy) return session.usage(policy.error().message);
    const auto deadline = Deadline::of(session);
    if (!deadline) return session.usage(deadline.error().message);
    const auto code = delete_all(session, *policy, *deadline);
    if (code) return *code;
    if (code.error().code == Code::cancelled) {
        return session.interrupted_watching("atelier get " + join(session.arguments.words, " "));
    }
    return session.fail(code.error());
}

}  // namespace atelier::cli
