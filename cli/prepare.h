// A manifest on its way to the server: which resource it is of, under which name, and what it says.
#pragma once

#include <string>

#include "cli/manifests.h"
#include "cli/session.h"

namespace atelier::cli {

struct Prepared {
    Resource resource;
    std::string ns;  // empty for kinds without
    std::string name;
    json::Document wanted;  // with the annotation of three_way.h
};

// `ns`: where an object goes that names no namespace. Code::invalid for what is no object, lacks
// kind or name, or has a name that would lead elsewhere as a part of a path.
Result<Prepared> prepare(const Session& session, Client& client, const Manifest& manifest,
                         const std::string& ns);

// The object as the server has it, or nullopt.
Result<std::optional<json::Document>> live_object(Client& client, const Prepared& prepared);

// Tells what is wrong with a manifest, at its place and that of its fields.
void tell_error(Session& session, const Manifest& manifest, const Error& error);

}  // namespace atelier::cli
