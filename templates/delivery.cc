#include "templates/delivery.h"

#include <fmt/format.h>

#include "templates/env.h"
#include "templates/env_file.h"

namespace atelier::templates {
namespace {

constexpr std::string_view env_file = ".env";
constexpr std::string_view prompt_file = "system-prompt.md";

std::string_view reason_of(const Error& error) {
    switch (error.code) {
        case Code::not_found:
            return "FilesMissing";
        case Code::forbidden:
            return "FilesEscape";
        case Code::too_large:
            return "FileTooLarge";
        case Code::unsupported:
            return "InlineTemplate";
        default:
            return "FileUnreadable";
    }
}

std::vector<std::string> names_of(const EnvMap& values) {
    std::vector<std::string> names;
    for (const auto& [name, value] : values) names.push_back(name);
    return names;
}

std::vector<std::string> empty_names_of(const EnvMap& values) {
    std::vector<std::string> names;
    for (const auto& [name, value] : values) {
        if (value.empty()) names.push_back(name);
    }
    return names;
}

bool has_folder(const drivers::Tree& tree, std::string_view name) {
    const std::string below = fmt::format("{}/", name);
    const auto next = tree.lower_bound(below);
    return next != tree.end() && next->first.starts_with(below);
}

bool is_or_is_below(std::string_view path, std::string_view name) {
    return path.starts_with(name) && (path.size() == name.size() || path[name.size()] == '/');
}

// Why a file of that path is not delivered; empty: it is.
std::string_view why_reserved(std::string_view path) {
    if (is_or_is_below(path, "config.yaml")) {
        return "config.yaml is written by Atelier; this one is not delivered";
    }
    if (is_or_is_below(path, "plugins")) {
        return "plugins are installed by Atelier; this file is not delivered";
    }
    if (path == ".atelier-files" || path == ".atelier-files.applied") {
        return "it is the name of a list that Atelier keeps; this file is not delivered";
    }
    return {};
}

std::string inside(const std::string& folder, std::string_view name) {
    return folder.empty() ? std::string(name) : fmt::format("{}/{}", folder, name);
}

}  // namespace

EnvMap Delivery::read_env(const std::string& file, const std::string& text) {
    EnvFile read = parse_env(text);
    for (OddLine& odd : read.odd) {
        loader_.findings().warn({file, {odd.line, 1}}, "InvalidEnvLine", std::move(odd.message));
    }
    // With a part of its values the workspaces would start wrong.
    if (read.unclosed) {
        loader_.findings().error({file, {read.unclosed->line, 1}}, "InvalidEnvFile",
                                 read.unclosed->message);
    }
    return std::move(read.values);
}

void Delivery::read_org_env() {
    const auto text = loader_.root().files->read(std::string(env_file));
    if (!text) {
        const Code code = text.error().code;
        if (code != Code::not_found && code != Code::unsupported) {
            loader_.findings().error({std::string(env_file), {}}, reason_of(text.error()),
                                     fmt::format("cannot be read: {}", text.error().message));
        }
        return;
    }
    out_.env.org = read_env(std::string(env_file), *text);
    out_.org.env_names = names_of(out_.env.org);
    out_.org.empty_env_names = empty_names_of(out_.env.org);
}

void Delivery::deliver(Mapping& entry, Node& node) {
    Findings& findings = loader_.findings();
    const std::string system_prompt = entry.text("system_prompt");
    drivers::Tree tree;
    if (entry.has("files_dir")) {
        if (!resolve_path("", entry.text("files_dir"))) return;  // an error already
        const Place place = entry.place_of("files_dir");
        auto folder = entry.mount().files->folder(node.files_dir);
        if (!folder) {
            findings.error(place, reason_of(folder.error()),
                           fmt::format("files_dir {}: {}", node.files_dir, folder.error().message));
            return;
        }
        tree = std::move(*folder);
        if (tree.empty()) {
            findings.error(place, "FilesEmpty",
                           fmt::format("files_dir {} has no files", node.files_dir));
        }
        take_env(tree, entry.mount(), node);
        take_reserved(tree, place, entry.mount().shown(node.files_dir));
    }
    if (!system_prompt.empty()) {
        if (has_folder(tree, prompt_file)) {
            findings.error(entry.place_of("system_prompt"), "InvalidFileName",
                           fmt::format("it is written as {}, and files_dir {} has a folder of that "
                                       "name",
                                       prompt_file, node.files_dir));
            return;
        }
        tree.insert_or_assign(std::string(prompt_file), drivers::File{.bytes = system_prompt});
    }
    if (tree.empty()) return;
    const drivers::Manifest manifest = drivers::manifest_of(tree);
    for (const drivers::ManifestEntry& file : manifest) {
        bytes_ += file.size;
        node.files.push_back({file.path, file.sha256, file.executable});
    }
    if (bytes_ > loader_.limits().file_bytes) {
        findings.error(entry.at().place(), "TemplateTooLarge",
                       fmt::format("the template delivers more than {} bytes of files",
                                   loader_.limits().file_bytes));
        return;
    }
    node.files_digest = drivers::digest_of(manifest);
    out_.trees.try_emplace(node.files_digest, std::move(tree));
}

void Delivery::add_env(Node& node, EnvMap values) {
    if (values.empty()) return;
    EnvMap& all = out_.env.nodes[node.key];
    for (auto& [name, value] : values) all.insert_or_assign(name, std::move(value));
    node.env_names = names_of(all);
    node.empty_env_names = empty_names_of(all);
}

void Delivery::take_env(drivers::Tree& tree, const Mount& mount, Node& node) {
    for (auto it = tree.begin(); it != tree.end();) {
        if (!is_env_file(it->first)) {
            ++it;
            continue;
        }
        const std::string file = mount.shown(inside(node.files_dir, it->first));
        if (mount.is_external()) {
            loader_.findings().warn({file, {}}, "EnvFileSkipped",
                                    "a .env file of another repository is neither read nor "
                                    "delivered: set the values in this template, or in a Secret");
        } else if (it->first == env_file) {
            EnvMap values = read_env(file, it->second.bytes);
            node.env_names = names_of(values);
            node.empty_env_names = empty_names_of(values);
            if (!values.empty()) out_.env.nodes[node.key] = std::move(values);
        } else {
            loader_.findings().warn({file, {}}, "EnvFileSkipped",
                                    "a .env file below the top of files_dir is neither read nor "
                                    "delivered");
        }
        it = tree.erase(it);
    }
}

void Delivery::take_reserved(drivers::Tree& tree, const Place& place, const std::string& folder) {
    Findings& findings = loader_.findings();
    for (auto it = tree.begin(); it != tree.end();) {
        const std::string& path = it->first;
        const std::string_view reserved = why_reserved(path);
        const auto storable = drivers::check_tree_path(path);
        if (!storable) {
            findings.error(place, "InvalidFileName",
                           fmt::format("files_dir {}: {}", folder, storable.error().message));
        }
        if (!reserved.empty()) {
            findings.warn({inside(folder, path), {}}, "ReservedFile", std::string(reserved));
        }
        it = !reserved.empty() || !storable ? tree.erase(it) : std::next(it);
    }
}

}  // namespace atelier::templates
