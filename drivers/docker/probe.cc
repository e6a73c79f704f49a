#include "drivers/docker/probe.h"

#include "base/digest.h"
#include "base/file.h"
#include "drivers/docker/stream.h"
#include "drivers/docker/units.h"
#include "drivers/trees/archive.h"

namespace atelier::drivers {

namespace {

using json::Document;

constexpr std::string_view probe_label = "atelier.dev/probe";
constexpr std::string_view probe_target = "/atelier-probe";
constexpr std::string_view probe_prefix = ".probe-";
constexpr Duration again_after = std::chrono::seconds(10);

void clear_probe_folders(const std::filesystem::path& folder) {
    std::vector<std::filesystem::path> left;
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
        const std::string name = entry.path().filename();
        if (name.starts_with(probe_prefix)) left.push_back(entry.path());
    }
    for (const std::filesystem::path& path : left) std::filesystem::remove_all(path, ignored);
}

}  // namespace

Result<bool> FileSystemProbe::shared() {
    const std::unique_lock lock(mutex_, api_.deadline);
    if (!lock) return Error{Code::timeout, "a probe of the file system has not ended in time"};
    if (shared_) return *shared_;
    if (folder_.empty()) return *(shared_ = false);
    if (failed_ && clock_.now() < failed_at_ + again_after) return *failed_;
    auto seen = once();
    failed_.reset();
    if (seen) {
        shared_ = *seen;
    } else if (seen.error().code != Code::unavailable) {
        // One that hangs must not hold each of many callers in turn. One that cannot be reached is
        // asked again by the next call, which takes no time.
        failed_ = seen.error();
        failed_at_ = clock_.now();
    }
    return seen;
}

Result<bool> FileSystemProbe::once() {
    TRY(clear_old());
    const std::string nonce = random_text(random_, 40, name_suffix_alphabet);
    const std::filesystem::path folder =
        folder_ / (std::string(probe_prefix) + nonce.substr(0, 12));
    TRY(make_directories(folder));
    const auto wrote = write_file_atomically(folder / "nonce", nonce);
    auto seen = wrote ? with_image(folder, nonce) : Result<bool>(wrote.error());
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
    return seen;
}

// Makes a container over the folder, reads the file through it, and removes what it made.
Result<bool> FileSystemProbe::with_image(const std::string& folder, const std::string& nonce) {
    const std::string image = TRY(make_image());
    auto seen = with_unit(image, folder, nonce);
    const auto removed = api_.erase("/images/" + image);
    if (!removed) return removed.error();
    return seen;
}

Result<bool> FileSystemProbe::with_unit(const std::string& image, const std::string& folder,
                                        const std::string& nonce) {
    UnitSpec spec;
    spec.name = "atelier-probe-" + nonce.substr(0, 12);
    spec.image = image;
    spec.command = {"probe"};
    spec.labels = labels_;
    spec.labels[std::string(probe_label)] = owner();
    spec.mounts = {{Mount::Kind::host, folder, std::string(probe_target), true}};
    auto id = create_unit(api_, spec);
    if (!id) {
        // The engine has no such folder: it runs on another machine or in another mount namespace.
        if (id.error().code == Code::invalid) return false;
        return std::move(id).error();
    }
    const std::string path = std::string(probe_target) + "/nonce";
    auto reply = api_.get("/containers/" + *id + "/archive?path=" + url_escape(path));
    auto there = api_.get("/containers/" + *id + "/json");
    TRY(remove_unit(api_, *id));
    const DockerReply file = TRY(std::move(reply));
    if (!TRY(std::move(there)).ok()) {
        return Error{Code::unavailable, "the container of a probe was removed by somebody else"};
    }
    // Only "no such file" proves anything: an engine in trouble (5xx) may share the files all the
    // same.
    if (file.status == 404) return false;
    if (!file.ok()) return docker_error(file, "the file of a probe cannot be read");
    const auto tree = read_tar(file.body, {4, 1 << 16});
    if (!tree) return false;
    const auto found = tree->find("nonce");
    return found != tree->end() && found->second.bytes == nonce;
}

// An empty image of our own, so that a probe needs no registry and no image that is there.
Result<std::string> FileSystemProbe::make_image() {
    const std::string tar = TRY(write_tar({}, "", {}));
    const std::string label = "LABEL " + std::string(probe_label) + "=" + owner();
    const DockerReply reply =
        TRY(api_.http.call({.method = "POST",
                            .path = "/images/create?fromSrc=-&changes=" + url_escape(label),
                            .body = tar,
                            .content_type = "application/x-tar",
                            .deadline = api_.deadline}));
    if (!reply.ok()) return docker_error(reply, "the image of a probe cannot be made");
    // The answer is lines of progress; the last one's status is the id.
    std::string id;
    LineStream lines([&](std::string_view line) {
        const auto progress = json::parse(line);
        if (!progress || !progress->IsObject()) return;
        const std::string status = json::string_at(*progress, {"status"});
        if (status.starts_with("sha256:")) id = status;
    });
    lines.feed(reply.body);
    lines.feed("\n");
    if (id.empty()) return Error{Code::internal, "the image of a probe has no id", reply.body};
    return id;
}

// All labels in one value: the engine gives an image only the labels of one LABEL instruction.
std::string FileSystemProbe::owner() const {
    std::string text;
    for (const auto& [key, value] : labels_) text += key + "=" + value + "\n";
    return sha256_hex(text).substr(0, 12);
}

// Removes what an earlier run of this server left when it was killed during its probe. Without
// labels, the probes of other servers look the same, and nothing is removed.
Result<void> FileSystemProbe::clear_old() {
    if (labels_.empty()) return {};
    clear_probe_folders(folder_);
    const Labels ours{{std::string(probe_label), owner()}};
    const std::vector<Unit> units = TRY(list_units(api_, ours));
    for (const Unit& unit : units) TRY(remove_unit(api_, unit.id));
    const std::string filter = json::text(label_filter(ours));
    const DockerReply reply = TRY(api_.get("/images/json?filters=" + url_escape(filter)));
    if (!reply.ok()) return docker_error(reply, "images cannot be listed");
    const Document images = TRY(reply.json());
    if (!images.IsArray()) return {};
    for (const auto& image : images.GetArray()) {
        TRY(api_.erase("/images/" + json::string_at(image, {"Id"})));
    }
    return {};
}

}  // namespace atelier::drivers
