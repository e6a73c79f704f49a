#include "reconcilers/common/kept_volumes.h"

#include <algorithm>

#include "reconcilers/common/indexes.h"

namespace atelier::reconcilers {
namespace {

constexpr Duration a_week = std::chrono::hours(7 * 24);
constexpr std::size_t digits_of_uid = 8;

}  // namespace

std::string deleted_workspace_name(const std::string& workspace, const std::string& volumes_uid) {
    return workspace + "." + volumes_uid.substr(0, digits_of_uid);
}

std::optional<Instant> keep_volumes_until(const crds::Meta& workspace, Instant now) {
    const std::string text = workspace.annotation(crds::annotation::keep_volumes_until);
    if (text.empty()) return std::nullopt;
    const auto until = parse_rfc3339(text);
    const Instant end = until ? *until : workspace.deleted_at.value_or(now) + a_week;
    return end > now ? std::optional(end) : std::nullopt;
}

std::vector<VolumesHolder> holders_of_volumes(const Objects& objects,
                                              const std::string& volumes_uid,
                                              const std::string& except) {
    std::vector<VolumesHolder> holders;
    for (const auto& object : objects.store().by_index(index::workspaces_by_volumes, volumes_uid)) {
        const crds::Meta& meta = object->meta;
        if (meta.uid == except) continue;
        holders.push_back({meta.name, meta.uid, meta.deleted_at.has_value(),
                           meta.controller() != nullptr, meta.has_finalizer(workspace_finalizer)});
    }
    std::sort(holders.begin(), holders.end(),
              [](const VolumesHolder& a, const VolumesHolder& b) { return a.name < b.name; });
    return holders;
}

std::set<std::string> backends_of(const crds::Workspace& workspace, const Runtimes& runtimes) {
    const crds::WorkspaceStatus& status = workspace.status;
    const bool took_over = !workspace.meta.annotation(crds::annotation::volumes_of).empty();
    const bool forgot = status.backends.empty() && status.started_at.has_value();
    std::set<std::string> backends(status.backends.begin(), status.backends.end());
    for (const auto& [name, runtime] : runtimes.by_backend) {
        if (took_over || forgot) backends.insert(name);
    }
    return backends;
}

Result<std::vector<std::string>> find_volumes(const Runtimes& runtimes,
                                              const std::set<std::string>& backends,
                                              const std::string& volumes_uid) {
    std::vector<std::string> found;
    for (const auto& [name, runtime] : runtimes.by_backend) {
        if (!backends.contains(name)) continue;
        const auto volumes = runtime->volumes(labels_to_find(runtimes, volumes_uid));
        if (!volumes) {
            return Error{Code::unavailable, "the runtime \"" + name +
                                                "\" does not answer: " + volumes.error().message};
        }
        for (const drivers::Volume& volume : *volumes) found.push_back(name + "/" + volume.name);
    }
    std::sort(found.begin(), found.end());
    return found;
}

std::pair<std::string, std::string> parts_of_volume(const std::string& volume) {
    const std::size_t slash = volume.find('/');
    if (slash == std::string::npos) return {volume, ""};
    return {volume.substr(0, slash), volume.substr(slash + 1)};
}

drivers::Labels labels_of_volume(const Runtimes& runtimes, const crds::Meta& workspace) {
    if (workspace.annotation(crds::annotation::volumes_of).empty()) {
        return labels_of_workspace(runtimes, workspace);
    }
    drivers::Labels labels = labels_to_find(runtimes, crds::volumes_uid(workspace));
    labels[std::string(unit_label::ns)] = workspace.ns;
    return labels;
}

}  // namespace atelier::reconcilers
