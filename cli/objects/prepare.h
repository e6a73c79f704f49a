// A manifest made ready for the server: its resource, its name, and the object to send.
#pragma once

#include <string>

#include "cli/objects/manifests.h"
#include "cli/session/session.h"

namespace atelier::cli {

struct Prepared {
    Resource resource;
    std::string ns;  // empty for a kind without namespaces
    std::string name;
    json::Document wanted;  // with the annotation of three_way.h
};

// `ns` is the namespace of an object that names none. Code::invalid when the manifest is no object,
// lacks apiVersion, kind or name, or has a name that cannot be a segment of a URL's path.
Result<Prepared> prepare(const Session& session, Client& client, const Manifest& manifest,
                         const std::string& ns);

// The object as the server has it; nullopt when it does not exist.
Result<std::optional<json::Document>> live_object(Client& client, const Prepared& prepared);

// Prints the error to stderr, a line for each of its causes, with the file and line of the field
// that the cause names.
void report_error(Session& session, const Manifest& manifest, const Error& error);

}  // namespace atelier::cli
