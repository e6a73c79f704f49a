#include "forecast/workspace_reasons.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/digest.h"
#include "base/fingerprint.h"
#include "base/text.h"

namespace atelier::forecast {
namespace {

using crds::Workspace;

constexpr std::size_t most_named = 20;

std::string shown(const std::string& text) {
    return text.empty() ? "(none)" : text;
}

std::map<std::string, std::string> files_of(const crds::WorkspaceSpec& spec) {
    std::map<std::string, std::string> files;
    for (const crds::WorkspaceFile& file : spec.files) {
        files[file.path] = (file.executable ? "x" : "-") +
                           (file.artifact ? file.sha256 : sha256_hex(file.content));
    }
    return files;
}

// "M config.yaml", "A prompts/x.md", "D old.md"
std::vector<std::string> changed_files(const Workspace& before, const Workspace& after) {
    const auto was = files_of(before.spec);
    const auto is = files_of(after.spec);
    std::vector<std::string> changed;
    for (const auto& [path, digest] : is) {
        const auto old = was.find(path);
        if (old == was.end()) changed.push_back("A " + path);
        if (old != was.end() && old->second != digest) changed.push_back("M " + path);
    }
    for (const auto& [path, digest] : was) {
        if (!is.contains(path)) changed.push_back("D " + path);
    }
    return changed;
}

std::string setting(std::string_view name, const std::string& before, const std::string& after) {
    return before == after ? std::string()
                           : fmt::format("{} {} -> {}", name, shown(before), shown(after));
}

std::string changed_settings(const WorkspaceState& before, const WorkspaceState& after) {
    const auto& a = before.workspace.spec;
    const auto& b = after.workspace.spec;
    std::vector<std::string> parts = {
        setting("tier", std::to_string(a.tier), std::to_string(b.tier)),
        setting("workspaceDir", a.workspace_dir, b.workspace_dir),
        setting("workspaceAccess", std::string(json::name_of(a.workspace_access)),
                std::string(json::name_of(b.workspace_access)))};
    std::erase(parts, "");
    return parts.empty() ? "settings of its unit" : "settings " + join(parts, ", ");
}

}  // namespace

std::string some_of(const std::vector<std::string>& all) {
    std::vector<std::string> first(
        all.begin(), all.begin() + static_cast<std::ptrdiff_t>(std::min(all.size(), most_named)));
    std::string text = join(first, ", ");
    if (all.size() > most_named) text += fmt::format(" and {} more", all.size() - most_named);
    return text;
}

std::vector<std::string> reasons_of(const WorkspaceState& before, const WorkspaceState& after,
                                    const std::string& key) {
    const reconcilers::workspace::Desired& was = *before.observed.desired;
    const reconcilers::workspace::Desired& is = *after.observed.desired;
    std::vector<std::string> reasons;
    for (const std::string& part :
         reconcilers::workspace::changed_parts(was.spec_hash, is.spec_hash)) {
        if (part == "image") {
            reasons.push_back(
                fmt::format("image {} -> {}", shown(was.unit.image), shown(is.unit.image)));
        } else if (part == "env") {
            reasons.push_back("env " + some_of(differences(was.unit.env, is.unit.env, key)));
        } else if (part == "files") {
            reasons.push_back("files " + some_of(changed_files(before.workspace, after.workspace)));
        } else if (part == "command") {
            reasons.push_back("command " + shown(join(before.workspace.spec.command, " ")) +
                              " -> " + shown(join(after.workspace.spec.command, " ")));
        } else {
            reasons.push_back(changed_settings(before, after));
        }
    }
    return reasons;
}

std::vector<std::string> lost(const WorkspaceState& before, const WorkspaceState& after) {
    std::vector<std::string> out;
    if (before.observed.backend != after.observed.backend) {
        out.push_back(fmt::format("backend {} -> {}: it begins there without its files",
                                  before.observed.backend, after.observed.backend));
        return out;
    }
    if (!before.observed.desired || !after.observed.desired) return out;
    const auto& mounts = after.observed.desired->unit.mounts;
    for (const drivers::Mount& mount : before.observed.desired->unit.mounts) {
        if (mount.kind != drivers::Mount::Kind::volume) continue;
        const bool kept = std::any_of(mounts.begin(), mounts.end(), [&](const auto& other) {
            return other.kind == mount.kind && other.source == mount.source;
        });
        if (!kept) {
            out.push_back(
                fmt::format("{} is no longer what it was: its volume is put aside", mount.target));
        }
    }
    return out;
}

std::vector<std::string> differences(const std::map<std::string, std::string>& before,
                                     const std::map<std::string, std::string>& after,
                                     const std::string& key) {
    std::vector<std::string> out;
    for (const auto& [name, value] : after) {
        const auto old = before.find(name);
        if (old == before.end()) {
            out.push_back(fmt::format("{} added ({})", name, fingerprint(key, value)));
        } else if (old->second != value) {
            out.push_back(fmt::format("{} changed ({} -> {})", name, fingerprint(key, old->second),
                                      fingerprint(key, value)));
        }
    }
    for (const auto& [name, value] : before) {
        if (!after.contains(name)) out.push_back(name + " removed");
    }
    return out;
}

std::vector<std::string> changed_members(const json::Value& before, const json::Value& after) {
    std::set<std::string> names;
    for (const json::Value* side : {&before, &after}) {
        if (!side->IsObject()) continue;
        for (const auto& member : side->GetObject()) names.emplace(json::view(member.name));
    }
    std::vector<std::string> changed;
    for (const std::string& name : names) {
        const json::Value* a = before.IsObject() ? json::find(before, {name}) : nullptr;
        const json::Value* b = after.IsObject() ? json::find(after, {name}) : nullptr;
        if (!a || !b || *a != *b) changed.push_back(name);
    }
    return changed;
}

}  // namespace atelier::forecast
