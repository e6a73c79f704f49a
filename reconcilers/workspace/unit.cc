#include "reconcilers/workspace/unit.h"

#include <algorithm>
#include <array>
#include <map>

#include "base/digest.h"
#include "base/fingerprint.h"
#include "base/text.h"
#include "crds/deleted_workspace.h"
#include "reconcilers/common/installs.h"

namespace atelier::reconcilers::workspace {
namespace {

using crds::WorkspaceSpec;
using drivers::Mount;
using drivers::UnitSpec;

constexpr std::int64_t mebibyte = 1 << 20;
constexpr std::int64_t one_cpu = 1'000'000'000;
constexpr std::array<std::string_view, 5> parts = {"image", "command", "env", "files", "settings"};

void set_limits(const WorkspaceSpec& spec, const Place& place, Desired& desired) {
    UnitSpec& unit = desired.unit;
    if (!place.can.limits) {
        desired.not_granted.push_back("limits and isolation, which the runtime \"" +
                                      place.can.name + "\" does not have");
        return;
    }
    // Every tier has a limit; the lowest has the least, and cannot write to its root.
    unit.memory_bytes = 512 * mebibyte;
    unit.nano_cpus = one_cpu;
    unit.read_only_root = spec.tier == 1;
    if (spec.tier == 3) {
        unit.memory_bytes = 2048 * mebibyte;
        unit.nano_cpus = 2 * one_cpu;
    } else if (spec.tier == 4) {
        unit.memory_bytes = 4096 * mebibyte;
        unit.nano_cpus = 4 * one_cpu;
    }
    if (spec.tier >= 3) {
        desired.not_granted.push_back("privileged mode");
        desired.not_granted.push_back("the host's process ids");
    }
    if (spec.tier >= 4) {
        desired.not_granted.push_back("the Docker socket");
        desired.not_granted.push_back("the host's network");
    }
}

std::vector<Mount> mounts_of(const crds::Workspace& workspace, const Place& place) {
    const WorkspaceSpec& spec = workspace.spec;
    const std::string volumes_uid = crds::volumes_uid(workspace.meta);
    std::vector<Mount> mounts = {
        {Mount::Kind::volume, configs_volume(volumes_uid), "/configs", false}};
    mounts.insert(mounts.end(), place.plugin_mounts.begin(), place.plugin_mounts.end());
    if (place.plugin_mounts.empty()) {
        mounts.push_back({Mount::Kind::tmpfs, "", "/run/atelier", false});
    }
    if (spec.tier == 1) {
        mounts.push_back({Mount::Kind::tmpfs, "", "/tmp", false});
        return mounts;
    }
    if (spec.workspace_dir.empty() || spec.workspace_access == crds::WorkspaceAccess::none) {
        mounts.push_back({Mount::Kind::volume, files_volume(volumes_uid), "/workspace", false});
    } else {
        mounts.push_back({Mount::Kind::host, spec.workspace_dir, "/workspace",
                          spec.workspace_access == crds::WorkspaceAccess::read_only});
    }
    return mounts;
}

Result<void> set_program(const WorkspaceSpec& spec, const Place& place, UnitSpec& unit) {
    if (place.can.images) {
        unit.image = spec.image.empty() ? place.image : spec.image;
        unit.command = spec.command;
        if (!unit.image.empty()) return {};
        return Error{Code::invalid,
                     "no image: spec.image is empty and the server has none for the runtime \"" +
                         spec.runtime +
                         "\"; set spec.image, the Org's spec.defaults.image, or "
                         "start the server with --image " +
                         spec.runtime + "=IMAGE"};
    }
    if (place.agent_program.empty()) {
        return Error{Code::invalid,
                     "no atelier-agent was found beside the server, which runs "
                     "workspaces as processes"};
    }
    unit.command = {place.agent_program, "--"};
    unit.command.insert(unit.command.end(), spec.command.begin(), spec.command.end());
    return {};
}

// Keyed, because the hash is part of the status, and an environment may hold short secrets.
std::string short_hash(const std::string& key, const std::string& bytes) {
    return keyed_digest(key, bytes).substr(0, 12);
}

// Lengths keep apart what would read alike when put together.
void add(std::string& bytes, std::string_view part) {
    bytes += std::to_string(part.size());
    bytes += ':';
    bytes += part;
}

std::string hash_of(const WorkspaceSpec& spec, const UnitSpec& unit, const std::string& key) {
    std::array<std::string, parts.size()> bytes;
    add(bytes[0], unit.image);
    for (const std::string& word : unit.command) add(bytes[1], word);
    for (const auto& [name, value] : unit.env) add(bytes[2], name), add(bytes[2], value);
    std::map<std::string, std::string> files;
    for (const crds::WorkspaceFile& file : spec.files) {
        files[file.path] = (file.executable ? "x" : "-") +
                           (file.artifact ? file.sha256 : sha256_hex(file.content));
    }
    for (const auto& [path, digest] : files) add(bytes[3], path), add(bytes[3], digest);
    for (const Mount& mount : unit.mounts) {
        add(bytes[4], std::to_string(static_cast<int>(mount.kind)) + (mount.read_only ? "r" : "w"));
        add(bytes[4], mount.source);
        add(bytes[4], mount.target);
    }
    add(bytes[4], unit.network);
    add(bytes[4], unit.network_alias);
    add(bytes[4], std::to_string(unit.memory_bytes) + "/" + std::to_string(unit.nano_cpus) + "/" +
                      std::to_string(unit.pids) + (unit.read_only_root ? "r" : "w"));
    std::vector<std::string> hashes;
    for (const std::string& one : bytes) hashes.push_back(short_hash(key, one));
    return join(hashes, "-");
}

}  // namespace

Result<Desired> translate(const crds::Workspace& workspace, const Values& env, const Place& place) {
    Desired desired;
    UnitSpec& unit = desired.unit;
    unit.name = unit_name(workspace.meta.uid);
    TRY(set_program(workspace.spec, place, unit));
    unit.env = env;
    unit.mounts = mounts_of(workspace, place);
    desired.mounted = !place.plugin_mounts.empty();
    if (place.can.networks) {
        unit.network = place.network;
        unit.network_alias = workspace.meta.name;
    }
    set_limits(workspace.spec, place, desired);
    for (const crds::WorkspaceFile& file : workspace.spec.files) {
        if (!is_safe_relative_path(file.path) || file.path.starts_with("plugins/") ||
            file.path == "plugins") {
            return Error{Code::invalid, "the file \"" + file.path +
                                            "\" is not a path below /configs and outside plugins"};
        }
        desired.files.push_back(file.path);
    }
    std::sort(desired.files.begin(), desired.files.end());
    desired.spec_hash = hash_of(workspace.spec, unit, place.hash_key);
    return desired;
}

std::vector<std::string> changed_parts(const std::string& old_hash, const std::string& new_hash) {
    const auto before = split(old_hash, '-');
    const auto after = split(new_hash, '-');
    std::vector<std::string> changed;
    if (before.size() != parts.size() || after.size() != parts.size()) return {"settings"};
    for (std::size_t i = 0; i < parts.size(); ++i) {
        if (before[i] != after[i]) changed.emplace_back(parts[i]);
    }
    return changed;
}

std::string restart_digest(const std::vector<crds::PluginInstall>& installs) {
    std::map<std::string, std::string> digests;
    for (const crds::PluginInstall& install : installs) {
        const bool counts =
            counting_install(installs, install.spec.workspace, install.spec.plugin) == &install;
        if (counts && !install.status.restart_digest.empty()) {
            digests[install.spec.plugin] = install.status.restart_digest;
        }
    }
    if (digests.empty()) return "none";
    std::string bytes;
    for (const auto& [plugin, digest] : digests) add(bytes, plugin), add(bytes, digest);
    return sha256_hex(bytes).substr(0, 32);
}

}  // namespace atelier::reconcilers::workspace
