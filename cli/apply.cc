#include <ostream>

#include "base/text.h"
#include "cli/manifests.h"
#include "cli/text_table.h"
#include "cli/three_way.h"
#include "cli/verb.h"

namespace atelier::cli {
namespace {

// Strict decoding is refused with one text for all fields: `unknown field "spec.x", duplicate field
// "spec.y"`. Each is told where it stands.
std::vector<Cause> strict_causes(std::string_view message) {
    std::vector<Cause> out;
    for (const std::string_view what : {"unknown field", "duplicate field"}) {
        const std::string begin = std::string(what) + " \"";
        for (std::size_t at = 0; (at = message.find(begin, at)) != message.npos;) {
            at += begin.size();
            const std::size_t end = message.find('"', at);
            if (end == message.npos) break;
            out.push_back({std::string(message.substr(at, end - at)), "", std::string(what)});
        }
    }
    return out;
}

// A name is a part of the request's path: one that would lead elsewhere is refused here, where its
// line is known.
Result<void> check_name(const std::string& field, const std::string& name) {
    const bool leads_elsewhere = name == "." || name == ".." ||
                                 name.find_first_of("/\\%") != name.npos || printable(name) != name;
    if (!leads_elsewhere) return {};
    return Error{Code::invalid,
                 field + ": is no name",
                 "",
                 {{field, "FieldValueInvalid",
                   "Invalid value: \"" + name +
                       "\": a name is no path: it may not be \".\" or "
                       "\"..\", or hold '/', '\\', '%' or control characters"}}};
}

class Applier {
  public:
    Applier(Session& session, Client& client, std::string ns, bool dry_run)
        : session_(session), client_(client), ns_(std::move(ns)) {
        query_ = {{"fieldManager", "atelier"}, {"fieldValidation", "Strict"}};
        if (dry_run) query_.emplace_back("dryRun", "All");
        suffix_ = dry_run ? " (server dry run)" : "";
    }

    // False when it failed; the failure has been told.
    bool apply(const Manifest& manifest) {
        const std::string kind = json::string_at(manifest.object, {"kind"});
        const std::string name = json::string_at(manifest.object, {"metadata", "name"});
        const auto done = apply_object(manifest, kind, name);
        if (done) return true;
        tell(manifest, kind, name, done.error());
        cancelled_ = done.error().code == Code::cancelled;
        return false;
    }
    bool cancelled() const { return cancelled_; }

  private:
    Result<void> apply_object(const Manifest& manifest, const std::string& kind,
                              const std::string& name) {
        if (!manifest.object.IsObject()) return Error{Code::invalid, "it is not an object"};
        const std::string version = json::string_at(manifest.object, {"apiVersion"});
        if (version.empty()) return Error{Code::invalid, "apiVersion: is required"};
        if (kind.empty()) return Error{Code::invalid, "kind: is required"};
        if (name.empty()) return Error{Code::invalid, "metadata.name: is required by apply"};
        TRY(check_name("metadata.name", name));
        TRY(check_name("metadata.namespace",
                       json::string_at(manifest.object, {"metadata", "namespace"})));
        const Resource resource = TRY(client_.resolve_kind(version, kind));
        const std::string ns = TRY(namespace_of(manifest, resource));
        const json::Document wanted = with_last_applied(prepared(manifest, resource, ns));
        auto live = client_.get(resource, ns, name);
        if (!live && live.error().code != Code::not_found) return live.error();
        const std::string verb = live ? TRY(change(resource, ns, name, *live, wanted))
                                      : TRY(create(resource, ns, wanted));
        session_.out() << name_of_object(resource, name) << " " << verb << suffix_ << "\n"
                       << std::flush;
        return {};
    }

    Result<std::string> namespace_of(const Manifest& manifest, const Resource& resource) const {
        if (!resource.namespaced) return std::string();
        const std::string own = json::string_at(manifest.object, {"metadata", "namespace"});
        if (own.empty()) return ns_;
        if (session_.arguments.given("namespace") && own != ns_) {
            return Error{Code::invalid, "metadata.namespace: is \"" + own +
                                            "\", but --namespace says \"" + ns_ + "\""};
        }
        return own;
    }

    static json::Document prepared(const Manifest& manifest, const Resource& resource,
                                   const std::string& ns) {
        json::Document out = json::copy(manifest.object);
        auto& allocator = out.GetAllocator();
        json::Value& metadata = json::object_at(out, "metadata", allocator);
        if (resource.namespaced) json::set(metadata, "namespace", ns, allocator);
        json::remove(metadata, "creationTimestamp");
        return out;
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
        // A patch may amount to nothing, such as stringData of a Secret.
        return std::string(revision(now) == revision(live) ? "unchanged" : "configured");
    }

    void tell(const Manifest& manifest, const std::string& kind, const std::string& name,
              const Error& error) {
        const std::string what = kind.empty() ? "object" : kind + " \"" + name + "\"";
        const auto line = [&](const std::string& place, const std::string& message) {
            session_.err() << "error: " << place << ": " << printable(what) << ": "
                           << printable(message) << "\n";
        };
        std::vector<Cause> causes = error.causes;
        if (causes.empty()) causes = strict_causes(error.message);
        if (causes.empty()) return line(manifest.place(), error.message);
        for (const Cause& cause : causes) {
            line(manifest.place(cause.field), cause.field + ": " + cause.message);
        }
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
        return session.usage("apply takes no words: give files by -f");
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
        // What cannot be read may be what the rest relies on.
        session.err() << "nothing was applied\n";
        return exit_code::error;
    }
    bool good = true;
    if (manifests->objects.empty()) {
        return session.fail({Code::not_found, "the files hold no objects"});
    }
    // A server that is not there is one failure, not one for each object.
    if (const auto reached = (*client)->resources(); !reached) return session.fail(reached.error());
    Applier applier(session, **client, *ns, dry_run == "server");
    for (const Manifest& manifest : manifests->objects) {
        good = applier.apply(manifest) && good;
        if (applier.cancelled()) return exit_code::interrupted;
    }
    return good ? exit_code::fine : exit_code::error;
}

}  // namespace atelier::cli
