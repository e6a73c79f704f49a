#include "cli/verbs/diff_files.h"

#include <ostream>

#include "base/text.h"
#include "cli/objects/manifests.h"
#include "cli/objects/prepare.h"
#include "cli/objects/secrets.h"
#include "cli/objects/server_fields.h"
#include "cli/objects/three_way.h"
#include "cli/output/text_diff.h"
#include "cli/output/text_table.h"
#include "crds/yaml.h"

namespace atelier::cli {
namespace {

// The object without the fields that the server sets, and without the annotation of `apply`.
json::Document essence(const json::Value& object) {
    json::Document out = json::copy(object);
    remove_server_fields(out);
    if (json::Value* const metadata = json::find(out, {"metadata"})) {
        if (json::Value* const notes = json::find(*metadata, {"annotations"})) {
            json::remove(*notes, last_applied_annotation);
            if (notes->IsObject() && notes->ObjectEmpty()) json::remove(*metadata, "annotations");
        }
    }
    return out;
}

// The object that `apply` would leave on the server, by a dry run.
Result<json::Document> applied(Client& client, const Prepared& prepared,
                               const std::optional<json::Document>& live) {
    const Query query = {
        {"fieldManager", "atelier"}, {"fieldValidation", "Strict"}, {"dryRun", "All"}};
    if (!live) {
        return client.call({"POST", prepared.resource.path(prepared.ns), query, "application/json",
                            "application/json", json::text(prepared.wanted)});
    }
    const json::Document patch = three_way_patch(*live, prepared.wanted);
    if (patch.ObjectEmpty()) return json::copy(*live);
    return client.call({"PATCH", prepared.resource.path(prepared.ns, prepared.name), query,
                        "application/json", "application/merge-patch+json", json::text(patch)});
}

// Prints the difference of one object; true when `apply` would change it.
Result<bool> diff_one(Session& session, Client& client, const Manifest& manifest,
                      const std::string& ns) {
    const Prepared prepared = TRY(prepare(session, client, manifest, ns));
    const auto live = TRY(live_object(client, prepared));
    const json::Document next = TRY(applied(client, prepared, live));
    json::Document before = live ? essence(*live) : json::Document(rapidjson::kObjectType);
    json::Document after = essence(next);
    if (is_secret(prepared.resource)) mask_values(before, after);
    const std::string text = unified_diff(live ? crds::to_yaml(before) : "", crds::to_yaml(after));
    if (text.empty()) return false;
    const std::string name = name_of_object(prepared.resource, prepared.name);
    session.out() << "--- " << (live ? "live " : "(not there) ") << name << "\n+++ applied " << name
                  << "\n";
    for (const std::string& line : split(std::string_view(text).substr(0, text.size() - 1), '\n')) {
        session.out() << printable(line) << "\n";
    }
    session.out() << std::flush;
    return true;
}

}  // namespace

Result<int> diff_files(Session& session) {
    const auto manifests =
        TRY(read_manifests(session.arguments.list("filename"), session.arguments.on("recursive"),
                           session.terminal.in));
    for (const Error& error : manifests.errors) {
        session.err() << "error: " << printable(error.message) << "\n";
    }
    if (!manifests.errors.empty()) return exit_code::usage;
    if (manifests.objects.empty()) return Error{Code::not_found, "the files hold no objects"};
    Client* const client = TRY(session.client());
    const std::string ns = TRY(session.ns());
    TRY(client->resources());  // an unreachable server is reported once, not for each object
    bool good = true;
    bool changes = false;
    for (const Manifest& manifest : manifests.objects) {
        const auto changed = diff_one(session, *client, manifest, ns);
        if (changed) {
            changes = *changed || changes;
            continue;
        }
        if (changed.error().code == Code::cancelled) return changed.error();
        report_error(session, manifest, changed.error());
        good = false;
    }
    if (!good) return exit_code::usage;
    return changes ? exit_code::error : exit_code::fine;
}

}  // namespace atelier::cli
