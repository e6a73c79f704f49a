// Files into containers, and the proof that a container sees the server's files.
#include <filesystem>

#include "base/digest.h"
#include "base/file.h"
#include "base/text.h"
#include "drivers/docker/engine.h"
#include "drivers/trees/archive.h"

namespace atelier::drivers {

namespace {

using json::Document;
using json::Value;

constexpr std::string_view probe_label = "atelier.dev/probe";
constexpr std::string_view probe_target = "/atelier-probe";
constexpr std::string_view probe_prefix = ".probe-";

// What a life that ended in the middle of its probe left there.
void clear_probe_folders(const std::filesystem::path& folder) {
    std::vector<std::filesystem::path> left;
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
        const std::string name = entry.path().filename();
        if (name.starts_with(probe_prefix)) left.push_back(entry.path());
    }
    for (const std::filesystem::path& path : left) std::filesystem::remove_all(path, ignored);
}

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

Result<void> DockerEngine::upload(const std::string& id, const std::string& folder,
                                  const Tree& tree, int uid, int gid) {
    const std::string name = TRY(check_runtime_name("unit", id));
    const std::string plain = TRY(plain_folder(folder));
    const std::string unit = "unit " + id.substr(0, 12);
    const DockerReply inspected = TRY(get("/containers/" + name + "/json"));
    if (!inspected.ok()) return docker_error(inspected, unit);
    const Document container = TRY(inspected.json());
    const Destination to = TRY(destination(container, plain));
    const Error refused{Code::forbidden, "folder \"" + folder + "\" of " + unit + " is read-only"};
    // Asked first: an engine that refuses in the middle of an upload may be heard as a broken line.
    if (to.read_only) return refused;

    TarStream tar(tree, to.below, {uid, gid, clock_.now()});
    const DockerReply reply = TRY(http_->call(
        {.method = "PUT",
         .path =
             "/containers/" + name + "/archive?noOverwriteDirNonDir=1&path=" + url_escape(to.base),
         .content_type = "application/x-tar",
         .upload = [&](char* buffer, std::size_t size) { return tar.read(buffer, size); },
         .deadline = options_.deadline}));
    if (reply.ok()) return {};
    if (reply.status == 403) return refused;
    return docker_error(reply, "files cannot be written to " + unit);
}

// --- the probe -----------------------------------------------------------------------------

Result<bool> DockerEngine::probe() {
    const std::lock_guard lock(probe_mutex_);
    if (shares_file_system_) return *shares_file_system_;
    if (options_.probe_folder.empty()) return *(shares_file_system_ = false);
    TRY(clear_old_probes());
    const std::string nonce = random_text(random_, 40, name_suffix_alphabet);
    const std::filesystem::path folder = std::filesystem::path(options_.probe_folder) /
                                         (std::string(probe_prefix) + nonce.substr(0, 12));
    TRY(make_directories(folder));
    const auto wrote = write_file_atomically(folder / "nonce", nonce);
    auto seen = wrote ? probe_with(folder, nonce) : Result<bool>(wrote.error());
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
    if (seen) shares_file_system_ = *seen;
    return seen;
}

// Makes a container over the folder, reads the file through it, and removes what it made.
Result<bool> DockerEngine::probe_with(const std::string& folder, const std::string& nonce) {
    const std::string image = TRY(make_probe_image());
    auto seen = probe_in(image, folder, nonce);
    const auto removed = erase("/images/" + image);
    if (!removed) return removed.error();
    return seen;
}

Result<bool> DockerEngine::probe_in(const std::string& image, const std::string& folder,
                                    const std::string& nonce) {
    UnitSpec spec;
    spec.name = "atelier-probe-" + nonce.substr(0, 12);
    spec.image = image;
    spec.command = {"probe"};
    spec.labels = options_.probe_labels;
    spec.labels[std::string(probe_label)] = probe_owner();
    spec.mounts = {{Mount::Kind::host, folder, std::string(probe_target), true}};
    auto id = create(spec);
    if (!id) {
        // The engine has no such folder: another machine, or another view of this one.
        if (id.error().code == Code::invalid) return false;
        return std::move(id).error();
    }
    const std::string path = std::string(probe_target) + "/nonce";
    auto reply = get("/containers/" + *id + "/archive?path=" + url_escape(path));
    auto there = get("/containers/" + *id + "/json");
    TRY(remove(*id));
    const DockerReply file = TRY(std::move(reply));
    if (!TRY(std::move(there)).ok()) {
        return Error{Code::unavailable, "the container of a probe was removed by somebody else"};
    }
    if (!file.ok()) return false;
    const auto tree = read_tar(file.body, {4, 1 << 16});
    if (!tree) return false;
    const auto found = tree->find("nonce");
    return found != tree->end() && found->second.bytes == nonce;
}

// An image of nothing: no image of anybody is needed, nor its names known.
Result<std::string> DockerEngine::make_probe_image() {
    const std::string tar = TRY(write_tar({}, "", {}));
    const std::string label = "LABEL " + std::string(probe_label) + "=" + probe_owner();
    const DockerReply reply =
        TRY(http_->call({.method = "POST",
                         .path = "/images/create?fromSrc=-&changes=" + url_escape(label),
                         .body = tar,
                         .content_type = "application/x-tar",
                         .deadline = options_.deadline}));
    if (!reply.ok()) return docker_error(reply, "the image of a probe cannot be made");
    // Lines of progress; the last one's status is the id.
    std::string id;
    for (const std::string& line : split(reply.body, '\n')) {
        const auto progress = json::parse(trim(line));
        if (!progress || !progress->IsObject()) continue;
        const std::string status = json::string_at(*progress, {"status"});
        if (status.starts_with("sha256:")) id = status;
    }
    if (id.empty()) return Error{Code::internal, "the image of a probe has no id", reply.body};
    return id;
}

// Whose a probe is, as a label of images, which cannot have many.
std::string DockerEngine::probe_owner() const {
    std::string text;
    for (const auto& [key, value] : options_.probe_labels) text += key + "=" + value + "\n";
    return sha256_hex(text).substr(0, 12);
}

// Those of this server, of a life that ended in between. Without labels they cannot be told from
// those of other servers.
Result<void> DockerEngine::clear_old_probes() {
    if (options_.probe_labels.empty()) return {};
    clear_probe_folders(options_.probe_folder);
    const Labels ours{{std::string(probe_label), probe_owner()}};
    const std::vector<Unit> units = TRY(list(ours));
    for (const Unit& unit : units) TRY(remove(unit.id));
    const std::string filter = json::text(label_filter(ours));
    const DockerReply reply = TRY(get("/images/json?filters=" + url_escape(filter)));
    if (!reply.ok()) return docker_error(reply, "images cannot be listed");
    const Document images = TRY(reply.json());
    if (!images.IsArray()) return {};
    for (const auto& image : images.GetArray()) {
        TRY(erase("/images/" + json::string_at(image, {"Id"})));
    }
    return {};
}

}  // namespace atelier::drivers
