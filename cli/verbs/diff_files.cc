// diff -f: what `apply` would change, as the server would store it.
#include <map>
#include <ostream>

#include "base/text.h"
#include "cli/manifests.h"
#include "cli/output/text_diff.h"
#include "cli/output/text_table.h"
#include "cli/prepare.h"
#include "cli/revisions.h"
#include "cli/three_way.h"
#include "crds/yaml.h"

namespace atelier::cli {
namespace {

// The values of a Secret, by name, as they are written.
std::map<std::string, std::string> values_of(const json::Value& object) {
    std::map<std::string, std::string> values;
    const json::Value* const data = json::find(object, {"data"});
    if (!data || !data->IsObject()) return values;
    for (const auto& member : data->GetObject()) {
        values.emplace(json::view(member.name), json::text(member.value));
    }
    return values;
}

// Values of a Secret are never shown; that one differs is.
void mask(json::Document& before, json::Document& after) {
    const auto old_values = values_of(before);
    const auto new_values = values_of(after);
    const auto cover = [](json::Document& object, const auto& own, const auto& other,
                          std::string_view word) {
        json::Value* const data = json::find(object, {"data"});
        for (const auto& [name, value] : own) {
            const auto there = other.find(name);
            const bool differs = there != other.end() && there->second != value;
            json::set(*data, name, differs ? word : "***", object.GetAllocator());
        }
    };
    cover(before, old_values, new_values, "*** (before)");
    cover(after, new_values, old_values, "*** (after)");
}

// Without what the server keeps for itself.
json::Document essence(const json::Value& object) {
    json::Document out = json::copy(object);
    json::remove(out, "status");
    if (json::Value* const metadata = json::find(out, {"metadata"})) {
        for (const std::string_view own :
             {"resourceVersion", "generation", "creationTimestamp", "uid", "managedFields"}) {
            json::remove(*metadata, own);
        }
        if (json::Value* const notes = json::find(*metadata, {"annotations"})) {
            json::remove(*notes, last_applied_annotation);
            if (notes->IsObject() && notes->ObjectEmpty()) json::remove(*metadata, "annotations");
        }
    }
    return out;
}

// The object as `apply` would leave it; the server checks, and changes nothing.
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

// True when something would change.
Result<bool> diff_one(Session& session, Client& client, const Manifest& manifest,
                      const std::string& ns) {
    const Prepared prepared = TRY(prepare(session, client, manifest, ns));
    const auto live = TRY(live_object(client, prepared));
    const json::Document next = TRY(applied(client, prepared, live));
    json::Document before = live ? essence(*live) : json::Document(rapidjson::kObjectType);
    json::Document after = essence(next);
    if (prepared.resource.group.empty() && prepared.resource.plural == "secrets") {
        mask(before, after);
    }
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
    TRY(client->resources());  // a server that is not there is one failure
    bool good = true;
    bool changes = false;
    for (const Manifest& manifest : manifests.objects) {
        const auto changed = diff_one(session, *client, manifest, ns);
        if (changed) {
            changes = *changed || changes;
            continue;
        }
        if (changed.error().code == Code::cancelled) return changed.error();
        tell_error(session, manifest, changed.error());
        good = false;
    }
    if (!good) return exit_code::usage;
    return changes ? exit_code::error : exit_code::fine;
}

}  // namespace atelier::cli
