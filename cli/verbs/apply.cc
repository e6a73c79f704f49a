#include <ostream>

#include "base/text.h"
#include "cli/objects/prepare.h"
#include "cli/objects/three_way.h"
#include "cli/output/text_table.h"
#include "cli/verbs/plan.h"
#include "cli/verbs/verbs.h"

namespace atelier::cli {
namespace {

class Applier {
  public:
    Applier(Session& session, Client& client, std::string ns, bool dry_run)
        : session_(session), client_(client), ns_(std::move(ns)) {
        query_ = {{"fieldManager", "atelier"}, {"fieldValidation", "Strict"}};
        if (dry_run) query_.emplace_back("dryRun", "All");
        suffix_ = dry_run ? " (server dry run)" : "";
    }

    // False when the object could not be applied; the error is on stderr then.
    bool apply(const Manifest& manifest) {
        const auto done = apply_object(manifest);
        if (done) return true;
        report_error(session_, manifest, done.error());
        cancelled_ = done.error().code == Code::cancelled;
        return false;
    }
    bool cancelled() const { return cancelled_; }

  private:
    Result<void> apply_object(const Manifest& manifest) {
        const Prepared object = TRY(prepare(session_, client_, manifest, ns_));
        const auto live = TRY(live_object(client_, object));
        const std::string verb =
            live ? TRY(change(object.resource, object.ns, object.name, *live, object.wanted))
                 : TRY(create(object.resource, object.ns, object.wanted));
        session_.out() << name_of_object(object.resource, object.name) << " " << verb << suffix_
                       << "\n"
                       << std::flush;
        return {};
    }

    Result<std::string> create(const Resource& resource, const std::string& ns,
                               const json::Value& wanted) {
        TRY(client_.call({"POST", resource.path(ns), query_, "application/json", "application/json",
                          json::text(wanted)}));
        return std::string("created");
    }

    Result<std::string> change(const Resource& resource, const std::string& ns,
                               const std::string& name, const json::Value& live,
                               const json::Value& wanted) {
        const json::Document patch = three_way_patch(live, wanted);
        if (patch.ObjectEmpty()) return std::string("unchanged");
        const json::Document now =
            TRY(client_.call({"PATCH", resource.path(ns, name), query_, "application/json",
                              "application/merge-patch+json", json::text(patch)}));
        const auto revision = [](const json::Value& object) {
            return json::string_at(object, {"metadata", "resourceVersion"});
        };
        // A patch may change nothing once the server has defaulted it, as stringData of a Secret
        // does when data holds the same values.
        return std::string(revision(now) == revision(live) ? "unchanged" : "configured");
    }

    Session& session_;
    Client& client_;
    const std::string ns_;
    Query query_;
    std::string suffix_;
    bool cancelled_ = false;
};

}  // namespace

int run_apply(Session& session) {
    const auto files = session.arguments.list("filename");
    const std::string dry_run = session.arguments.text("dry-run");
    if (!session.arguments.words.empty()) {
        return session.usage("apply takes no arguments: name files with -f");
    }
    if (session.arguments.given("plan")) {
        if (!files.empty() || !dry_run.empty()) {
            return session.usage(
                "--plan cannot be combined with -f or --dry-run: the plan already holds its "
                "objects");
        }
        return apply_plan(session, session.arguments.text("plan"));
    }
    if (files.empty()) return session.usage("name a file: atelier apply -f FILE");
    if (!dry_run.empty() && dry_run != "server" && dry_run != "none") {
        return session.usage("the dry run is \"server\" or \"none\", not \"" + dry_run + "\"");
    }
    auto manifests = read_manifests(files, session.arguments.on("recursive"), session.terminal.in);
    if (!manifests) return session.fail(manifests.error());
    const auto client = session.client();
    if (!client) return session.fail(client.error());
    const auto ns = session.ns();
    if (!ns) return session.fail(ns.error());
    for (const Error& error : manifests->errors) {
        session.err() << "error: " << printable(error.message) << "\n";
    }
    if (!manifests->errors.empty()) {
        // The other objects may rely on those in a file that cannot be read.
        session.err() << "nothing was applied\n";
        return exit_code::error;
    }
    bool good = true;
    if (manifests->objects.empty()) {
        return session.fail({Code::not_found, "the files hold no objects"});
    }
    // An unreachable server is reported once here, instead of once for each object.
    if (const auto reached = (*client)->resources(); !reached) return session.fail(reached.error());
    Applier applier(session, **client, *ns, dry_run == "server");
    for (const Manifest& manifest : manifests->objects) {
        good = applier.apply(manifest) && good;
        if (applier.cancelled()) return exit_code::interrupted;
    }
    return good ? exit_code::fine : exit_code::error;
}

}  // namespace atelier::cli
