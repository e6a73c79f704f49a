// Files into containers, and the proof that a container sees the server's files.
#include <filesystem>

#include "base/file.h"
#include "base/text.h"
#include "drivers/archive.h"
#include "drivers/docker_engine.h"

namespace atelier::drivers {

namespace {

using json::Document;
using json::Value;

constexpr std::string_view probe_label = "atelier.dev/probe";
constexpr std::string_view probe_target = "/atelier-probe";

// Where an upload must be addressed: folders below are made, those above are not, and a root that
// is read-only refuses what is not addressed to a mount.
struct Destination {
    std::string base = "/";
    std::string below;  // relative to base; empty: base itself
};

Result<Destination> destination(const Document& container, const std::string& folder) {
    Destination found;
    std::string type;
    const Value* mounts = json::find(container, {"Mounts"});
    if (mounts && mounts->IsArray()) {
        for (const auto& mount : mounts->GetArray()) {
            const std::string target = json::string_at(mount, {"Destination"});
            const bool holds = folder == target || folder.starts_with(target + "/");
            if (!holds || target.size() <= found.base.size()) continue;
            found.base = target;
            type = json::string_at(mount, {"Type"});
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

Result<void> DockerEngine::upload(const std::string& id, const std::string& folder,
                                  const Tree& tree, int uid, int gid) {
    const std::string name = TRY(check_runtime_name("unit", id));
    const std::string plain = TRY(plain_folder(folder));
    const std::string unit = "unit " + id.substr(0, 12);
    const DockerReply inspected = TRY(get("/containers/" + name + "/json"));
    if (!inspected.ok()) return docker_error(inspected, unit);
    const Document container = TRY(inspected.json());
    const Destination to = TRY(destination(container, plain));

    TarStream tar(tree, to.below, {uid, gid, clock_.now()});
    const DockerReply reply = TRY(http_->call(
        {.method = "PUT",
         .path =
             "/containers/" + name + "/archive?noOverwriteDirNonDir=1&path=" + url_escape(to.base),
         .content_type = "application/x-tar",
         .upload = [&](char* buffer, std::size_t size) { return tar.read(buffer, size); },
         .deadline = options_.deadline}));
    if (reply.ok()) return {};
    const std::string text = reply.message();
    if (reply.status == 403 || text.find("read-only") != std::string::npos) {
        return Error{Code::forbidden, "folder \"" + folder + "\" of " + unit + " is read-only",
                     text};
    }
    return docker_error(reply, "files cannot be written to " + unit);
}

// --- the probe -----------------------------------------------------------------------------

Result<bool> DockerEngine::probe() {
    const std::lock_guard lock(probe_mutex_);
    if (shares_file_system_) return *shares_file_system_;
    if (options_.probe_folder.empty()) return *(shares_file_system_ = false);
    TRY(clear_old_probes());
    const std::string image = TRY(any_image());
    const std::string nonce = random_text(random_, 40, name_suffix_alphabet);
    const std::filesystem::path folder =
        std::filesystem::path(options_.probe_folder) / (".probe-" + nonce.substr(0, 12));
    TRY(make_directories(folder));
    const auto wrote = write_file_atomically(folder / "nonce", nonce);
    auto seen = wrote ? probe_with(image, folder, nonce) : Result<bool>(wrote.error());
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
    if (seen) shares_file_system_ = *seen;
    return seen;
}

// Makes a container over the folder, reads the file through it, removes it.
Result<bool> DockerEngine::probe_with(const std::string& image, const std::string& folder,
                                      const std::string& nonce) {
    UnitSpec spec;
    spec.name = "atelier-probe-" + nonce.substr(0, 12);
    spec.image = image;
    spec.command = {"probe"};
    spec.labels = options_.probe_labels;
    spec.labels[std::string(probe_label)] = "true";
    spec.mounts = {{Mount::Kind::host, folder, std::string(probe_target), true}};
    auto id = create(spec);
    if (!id) {
        // The engine has no such folder: another machine, or another view of this one.
        if (id.error().code == Code::invalid) return false;
        return std::move(id).error();
    }
    const std::string path = std::string(probe_target) + "/nonce";
    auto reply = get("/containers/" + *id + "/archive?path=" + url_escape(path));
    auto removed = remove(*id);
    if (!reply) return std::move(reply).error();
    TRY(std::move(removed));
    if (!reply->ok()) return false;
    const auto tree = read_tar(reply->body, {4, 1 << 16});
    if (!tree) return false;
    const auto file = tree->find("nonce");
    return file != tree->end() && file->second.bytes == nonce;
}

// Those of this server, of a life that ended in between. Without labels they cannot be told from
// those of other servers.
Result<void> DockerEngine::clear_old_probes() {
    if (options_.probe_labels.empty()) return {};
    Labels ours = options_.probe_labels;
    ours[std::string(probe_label)] = "true";
    for (const Unit& unit : TRY(list(ours))) TRY(remove(unit.id));
    return {};
}

}  // namespace atelier::drivers
