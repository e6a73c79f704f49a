#include "cli/objects/prepare.h"

#include <ostream>

#include "cli/objects/server_fields.h"
#include "cli/objects/three_way.h"
#include "cli/output/text_table.h"

namespace atelier::cli {
namespace {

// A server that decodes strictly refuses all fields with one text: `unknown field "spec.x",
// duplicate field "spec.y"`. Taken apart, each field can be reported with its own line.
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

// The name becomes a segment of the request's path. A name that would change the path is refused
// here, where the line of the manifest is known.
Result<void> check_name(const std::string& field, const std::string& name) {
    const bool leads_elsewhere = name == "." || name == ".." ||
                                 name.find_first_of("/\\%") != name.npos || printable(name) != name;
    if (!leads_elsewhere) return {};
    return Error{Code::invalid,
                 field + ": is not a valid name",
                 "",
                 {{field, "FieldValueInvalid",
                   "Invalid value: \"" + name +
                       "\": a name may not be \".\" or "
                       "\"..\", nor hold '/', '\\', '%' or control characters"}}};
}

Result<std::string> namespace_of(const Session& session, const Manifest& manifest,
                                 const Resource& resource, const std::string& ns) {
    if (!resource.namespaced) return std::string();
    const std::string own = json::string_at(manifest.object, {"metadata", "namespace"});
    if (own.empty()) return ns;
    if (session.arguments.given("namespace") && own != ns) {
        return Error{Code::invalid,
                     "metadata.namespace: is \"" + own + "\", but --namespace says \"" + ns + "\""};
    }
    return own;
}

json::Document declared(const Manifest& manifest, const Resource& resource, const std::string& ns) {
    json::Document out = json::copy(manifest.object);
    // What `get -o yaml` has written can be applied again: a resourceVersion would be a conflict,
    // and the object that is made gets a uid of its own.
    remove_server_fields(out);
    auto& allocator = out.GetAllocator();
    json::Value& metadata = json::object_at(out, "metadata", allocator);
    if (resource.namespaced) json::set(metadata, "namespace", ns, allocator);
    return out;
}

}  // namespace

Result<Prepared> prepare(const Session& session, Client& client, const Manifest& manifest,
                         const std::string& ns) {
    if (!manifest.object.IsObject()) return Error{Code::invalid, "it is not an object"};
    const std::string version = json::string_at(manifest.object, {"apiVersion"});
    const std::string kind = json::string_at(manifest.object, {"kind"});
    Prepared out;
    out.name = json::string_at(manifest.object, {"metadata", "name"});
    if (version.empty()) return Error{Code::invalid, "apiVersion: is required"};
    if (kind.empty()) return Error{Code::invalid, "kind: is required"};
    if (out.name.empty()) return Error{Code::invalid, "metadata.name: is required by apply"};
    TRY(check_name("metadata.name", out.name));
    TRY(check_name("metadata.namespace",
                   json::string_at(manifest.object, {"metadata", "namespace"})));
    out.resource = TRY(client.resolve_kind(version, kind));
    out.ns = TRY(namespace_of(session, manifest, out.resource, ns));
    out.wanted = with_last_applied(declared(manifest, out.resource, out.ns));
    return out;
}

Result<std::optional<json::Document>> live_object(Client& client, const Prepared& prepared) {
    auto live = client.get(prepared.resource, prepared.ns, prepared.name);
    if (live) return std::optional<json::Document>(*std::move(live));
    if (live.error().code == Code::not_found) return std::optional<json::Document>();
    return live.error();
}

void report_error(Session& session, const Manifest& manifest, const Error& error) {
    const std::string kind = json::string_at(manifest.object, {"kind"});
    const std::string name = json::string_at(manifest.object, {"metadata", "name"});
    const std::string what = kind.empty() ? "object" : kind + " \"" + name + "\"";
    const auto line = [&](const std::string& place, const std::string& message) {
        session.err() << "error: " << place << ": " << printable(what) << ": " << printable(message)
                      << "\n";
    };
    std::vector<Cause> causes = error.causes;
    if (causes.empty()) causes = strict_causes(error.message);
    if (causes.empty()) return line(manifest.place(), error.message);
    for (const Cause& cause : causes) {
        line(manifest.place(cause.field), cause.field + ": " + cause.message);
    }
}

}  // namespace atelier::cli
