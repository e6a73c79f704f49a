#include "drivers/docker/files.h"

#include "drivers/runtime_names.h"

namespace atelier::drivers {

namespace {

using json::Document;
using json::Value;

// Where an upload must be addressed: folders below are made, those above are not, and a root that
// is read-only refuses what is not addressed to a mount.
struct Destination {
    bool read_only = false;
    std::string base = "/";
    std::string below;  // relative to base; empty: base itself
};

Result<Destination> destination(const Document& container, const std::string& folder) {
    Destination found;
    const Value* root = json::find(container, {"HostConfig", "ReadonlyRootfs"});
    found.read_only = root && root->IsTrue();
    std::string type;
    const Value* mounts = json::find(container, {"Mounts"});
    if (mounts && mounts->IsArray()) {
        for (const auto& mount : mounts->GetArray()) {
            const std::string target = json::string_at(mount, {"Destination"});
            const bool holds = folder == target || folder.starts_with(target + "/");
            if (!holds || target.size() <= found.base.size()) continue;
            found.base = target;
            type = json::string_at(mount, {"Type"});
            const Value* writable = json::find(mount, {"RW"});
            found.read_only = writable && writable->IsFalse();
        }
    }
    if (type == "tmpfs") {
        return Error{Code::unsupported, "no upload is possible to a folder in memory"};
    }
    std::string_view rest = std::string_view(folder).substr(found.base.size());
    while (rest.starts_with('/')) rest.remove_prefix(1);
    found.below = rest;
    return found;
}

}  // namespace

Result<void> upload_files(const DockerApi& api, const std::string& id, const std::string& folder,
                          const Tree& tree, const TarOwner& owner) {
    const std::string name = TRY(check_runtime_name("unit", id));
    const std::string plain = TRY(plain_folder(folder));
    const std::string unit = "unit " + id.substr(0, 12);
    const DockerReply inspected = TRY(api.get("/containers/" + name + "/json"));
    if (!inspected.ok()) return docker_error(inspected, unit + " cannot be inspected");
    const Document container = TRY(inspected.json());
    const Destination to = TRY(destination(container, plain));
    const Error refused{Code::forbidden, "folder \"" + folder + "\" of " + unit + " is read-only"};
    // Checked before the upload: an engine that refuses in the middle of one closes the connection,
    // and its answer may be lost.
    if (to.read_only) return refused;

    TarStream tar(tree, to.below, owner);
    const DockerReply reply = TRY(api.http.call(
        {.method = "PUT",
         .path =
             "/containers/" + name + "/archive?noOverwriteDirNonDir=1&path=" + url_escape(to.base),
         .content_type = "application/x-tar",
         .upload = [&](char* buffer, std::size_t size) { return tar.read(buffer, size); },
         .deadline = api.deadline}));
    if (reply.ok()) return {};
    if (reply.status == 403) return refused;
    return docker_error(reply, "files cannot be written to " + unit);
}

}  // namespace atelier::drivers
