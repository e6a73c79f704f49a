#include "reconcilers/plugin/content.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/digest.h"
#include "base/json.h"
#include "base/text.h"
#include "crds/yaml.h"
#include "drivers/trees/read_tree.h"
#include "templates/tree_files.h"

namespace atelier::reconcilers {
namespace {

using drivers::File;
using drivers::Tree;

constexpr std::size_t most_names = 500;    // of each capability in a status
constexpr std::size_t longest_text = 200;  // of a version or a runtime

bool has_git_part(const std::string& path) {
    const auto parts = split(path, '/');
    return std::any_of(parts.begin(), parts.end(),
                       [](const std::string& part) { return lower(part) == ".git"; });
}

Error mismatch(std::string_view what) {
    return {Code::forbidden, std::string(what)};
}

// Strings of a list in plugin.yaml; what is something else is dropped, as the format's own loader
// does.
std::vector<std::string> strings(const json::Value& document, std::string_view name) {
    std::vector<std::string> out;
    const json::Value* list = json::find(document, {name});
    if (!list || !list->IsArray()) return out;
    for (const json::Value& element : list->GetArray()) {
        if (!element.IsString() || out.size() >= most_names) continue;
        out.emplace_back(json::view(element).substr(0, longest_text));
    }
    return out;
}

void read_plugin_yaml(const Tree& tree, PluginContent& content) {
    const auto file = tree.find("plugin.yaml");
    if (file == tree.end()) {
        content.warnings.emplace_back("there is no plugin.yaml");
        return;
    }
    const auto documents = crds::parse_yaml(file->second.bytes, "plugin.yaml");
    if (!documents) {
        content.warnings.push_back(documents.error().message);
        return;
    }
    if (documents->empty() || !documents->front().value.IsObject()) {
        content.warnings.emplace_back("plugin.yaml: must be a mapping");
        return;
    }
    const json::Value& document = documents->front().value;
    if (const json::Value* version = json::find(document, {"version"})) {
        // "1.0" without quotes is a number.
        content.version = version->IsString()   ? std::string(json::view(*version))
                          : version->IsNumber() ? json::text(*version)
                                                : std::string();
        content.version = content.version.substr(0, longest_text);
        if (!version->IsString() && !version->IsNumber()) {
            content.warnings.emplace_back("plugin.yaml: version: must be a string");
        }
    }
    for (std::string& runtime : content.capabilities.runtimes = strings(document, "runtimes")) {
        std::replace(runtime.begin(), runtime.end(), '-', '_');  // both are written
    }
}

// Links that stay inside the tree are replaced by what they point to. Code::invalid names any
// other.
Result<Tree> without_links(const Tree& tree) {
    const bool any = std::any_of(tree.begin(), tree.end(), [](const auto& entry) {
        return entry.second.kind == File::Kind::symlink;
    });
    if (!any) return tree;
    const drivers::TreeLimits limits;
    const auto files =
        templates::files_of_tree(std::make_shared<const Tree>(tree), {.file_bytes = limits.bytes,
                                                                      .folder_bytes = limits.bytes,
                                                                      .folder_files = limits.files,
                                                                      .what = "plugin"});
    auto followed = files->folder("");
    if (followed) return followed;
    return Error{Code::invalid, followed.error().message};
}

// "folder/NAME/rest" -> NAME; empty for other paths.
std::string name_below(const std::string& path, std::string_view folder) {
    if (!path.starts_with(folder)) return {};
    const std::string rest = path.substr(folder.size());
    return rest.substr(0, rest.find('/'));
}

void add(std::set<std::string>& names, std::string name) {
    if (!name.empty() && names.size() < most_names) names.insert(std::move(name));
}

std::vector<std::string> list_of(const std::set<std::string>& names) {
    return {names.begin(), names.end()};
}

}  // namespace

Result<Tree> clean(const Tree& given) {
    const Tree tree = TRY(without_links(given));
    Tree out;
    for (const auto& [path, file] : tree) {
        if (path == ".complete" || has_git_part(path)) continue;
        out.emplace(path, file);
    }
    if (out.empty()) return Error{Code::invalid, "the plugin holds no files"};
    TRY(drivers::check_storable(out));
    return out;
}

std::string manifest_json_digest(const Tree& tree) {
    // Sorted as strings of path and content, as the tools that write manifest.json do.
    std::vector<std::string> parts;
    for (const auto& [path, file] : tree) {
        if (path == "manifest.json" || file.kind != File::Kind::regular) continue;
        parts.push_back(path + '\0' + file.bytes);
    }
    std::sort(parts.begin(), parts.end());
    Sha256 sum;
    for (const std::string& part : parts) sum.update(part);
    return sum.hex();
}

Result<void> verify(const Tree& tree, const std::string& sha256) {
    if (!sha256.empty()) {
        const auto file = tree.find("plugin.yaml");
        if (file == tree.end()) {
            return mismatch("spec.sha256 is set, but the plugin has no plugin.yaml");
        }
        const std::string found = sha256_hex(file->second.bytes);
        if (found != lower(sha256)) {
            return mismatch(fmt::format("plugin.yaml has the SHA-256 {}, and spec.sha256 is {}",
                                        found, lower(sha256)));
        }
    }
    const auto manifest = tree.find("manifest.json");
    if (manifest == tree.end()) return {};
    const auto document = json::parse(manifest->second.bytes);
    if (!document || !document->IsObject()) return mismatch("manifest.json is not a JSON object");
    const json::Value* declared = json::find(*document, {"sha256"});
    if (!declared) return {};
    if (!declared->IsString()) return mismatch("manifest.json: sha256 must be a string");
    const std::string found = manifest_json_digest(tree);
    if (found != lower(json::view(*declared))) {
        return mismatch(fmt::format(
            "the plugin's files do not have the digest that its manifest.json declares: {}",
            found));
    }
    return {};
}

PluginContent inspect(const Tree& tree) {
    PluginContent content;
    read_plugin_yaml(tree, content);
    std::set<std::string> skills, rules, hooks, commands, executables;
    for (const auto& [path, file] : tree) {
        ++content.capabilities.files;
        content.capabilities.bytes += static_cast<std::int64_t>(file.bytes.size());
        if (file.executable) add(executables, path);
        if (path.starts_with("skills/") && path.ends_with("/SKILL.md")) {
            add(skills, name_below(path, "skills/"));
        }
        if (path.starts_with("hooks/")) add(hooks, path.substr(6));
        if (path.ends_with(".md")) {
            const std::string stem = path.substr(0, path.size() - 3);
            if (path.starts_with("rules/")) add(rules, stem.substr(6));
            if (path.starts_with("commands/")) add(commands, stem.substr(9));
        }
    }
    content.capabilities.skills = list_of(skills);
    content.capabilities.rules = list_of(rules);
    content.capabilities.hooks = list_of(hooks);
    content.capabilities.commands = list_of(commands);
    content.capabilities.executables = list_of(executables);
    return content;
}

}  // namespace atelier::reconcilers
