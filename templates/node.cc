#include "templates/node.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "crds/plugin_source.h"
#include "templates/prompt.h"
#include "templates/workspace_dir.h"

namespace atelier::templates {
namespace {

constexpr std::int64_t default_tier = 2;
constexpr std::int64_t highest_tier = 4;
constexpr std::int64_t default_idle_interval = 600;  // seconds
constexpr std::size_t longest_word = 100;
constexpr std::size_t longest_role = 8000;
constexpr std::size_t longest_plugin_name = 128;
constexpr std::size_t longest_url = 2048;
constexpr std::size_t most_plugins = 500;
constexpr std::size_t most_categories = 1000;
constexpr std::int64_t longest_idle_interval = 31'536'000;  // a year of seconds
constexpr std::int64_t most_tasks = 1000;

void wrong(Mapping& at, std::string_view field, std::string message) {
    at.loader().findings().error(at.place_of(field), "InvalidField", std::move(message));
}

// A runtime or model: one word of printable ASCII.
std::string read_word(Mapping& at, std::string_view field) {
    std::string text = at.text(field);
    const bool fine =
        text.size() <= longest_word &&
        std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
    if (fine) return text;
    wrong(at, field, fmt::format("{} must be one word of at most {} letters", field, longest_word));
    return {};
}

std::string read_runtime(Mapping& at) {
    std::string runtime = read_word(at, "runtime");
    if (runtime.empty() || is_dns_label(runtime)) return runtime;
    wrong(at, "runtime",
          fmt::format("runtime \"{}\" must be lower-case letters, digits and '-'", runtime));
    return {};
}

std::int64_t read_idle_interval(Mapping& at) {
    const std::int64_t seconds = at.integer("idle_interval_seconds", 0);
    if (seconds <= longest_idle_interval) return seconds;
    wrong(at, "idle_interval_seconds",
          fmt::format("idle_interval_seconds must be at most {}", longest_idle_interval));
    return 0;
}

std::int64_t read_tasks(Mapping& at) {
    const std::int64_t tasks = at.integer("max_concurrent_tasks", 1);
    if (tasks <= most_tasks) return std::max<std::int64_t>(1, tasks);
    wrong(at, "max_concurrent_tasks",
          fmt::format("max_concurrent_tasks must be at most {}", most_tasks));
    return 1;
}

bool is_plugin_name(std::string_view name) {
    return name.size() <= longest_plugin_name && is_dns_subdomain(name);
}

std::int64_t read_tier(Mapping& at) {
    const std::int64_t tier = at.integer("tier", 0);
    if (tier >= 0 && tier <= highest_tier) return tier;
    wrong(at, "tier", fmt::format("tier must be 1 to {}, and is {}", highest_tier, tier));
    return 0;
}

std::vector<std::string> read_plugins(Mapping& at) {
    std::vector<std::string> plugins;
    for (const Cursor& element : at.list("plugins")) {
        const std::string entry =
            element.value->IsString() ? std::string(json::view(*element.value)) : "";
        if (element.value->IsString() && trim(entry).empty()) continue;
        const bool opts_out = entry.starts_with('!') || entry.starts_with('-');
        if (is_plugin_name(opts_out ? entry.substr(1) : entry)) {
            const auto& known = at.loader().limits().known_plugins;
            if (known && !opts_out && !known->contains(entry)) {
                std::string message = fmt::format("there is no plugin \"{}\"", entry);
                const auto meant = did_you_mean(entry, {known->begin(), known->end()});
                if (meant) message += fmt::format(": did you mean \"{}\"?", *meant);
                at.loader().findings().warn(element.place(), "UnknownPlugin", std::move(message));
            }
            plugins.push_back(entry);
            continue;
        }
        at.loader().findings().error(
            element.place(), "InvalidPlugin",
            fmt::format("\"{}\" is not the name of a plugin: lower-case letters, digits and '-', "
                        "with '!' in front to leave a default out",
                        entry));
    }
    return plugins;
}

Routing merged_routing(Routing routing, const Routing& own) {
    for (const auto& [category, names] : own) {
        if (names.empty()) {
            routing.erase(category);
        } else {
            routing[category] = names;
        }
    }
    std::erase_if(routing, [](const auto& entry) { return entry.second.empty(); });
    return routing;
}

std::string read_url(Mapping& at, bool external) {
    std::string url = at.text("url");
    if (!external) {
        if (!url.empty()) {
            at.loader().findings().warn(at.place_of("url"), "IgnoredField",
                                        "url is for external workspaces only, and is ignored");
        }
        return {};
    }
    if (url.size() <= longest_url && crds::check_git_url(url)) return url;
    // The message does not repeat the URL: people put credentials there.
    wrong(at, "url",
          "an external workspace needs its url: http:// or https://, with a host, and without "
          "credentials and '#'");
    return {};
}

// nullopt: the entry does not say, or says it wrongly.
std::optional<crds::WorkspaceAccess> read_access(Mapping& at) {
    const std::string access = at.text("workspace_access");
    if (access.empty()) return std::nullopt;
    const auto known = json::value_of<crds::WorkspaceAccess>(access);
    if (known) return *known;
    wrong(at, "workspace_access",
          fmt::format("workspace_access must be none, read_only or read_write, and is \"{}\"",
                      access));
    return std::nullopt;
}

// Why a workspace_dir has no effect; empty: it has.
std::string_view why_not_mounted(const Node& node) {
    if (node.workspace_access == crds::WorkspaceAccess::none) return "workspace_access is none";
    if (node.external) return "an external workspace runs elsewhere";
    if (node.tier == 1) return "a workspace of tier 1 has no /workspace";
    return {};
}

// A workspace_dir without workspace_access is mounted for reading and writing: existing templates
// mean that by it.
void read_workspace_dir(Mapping& at, Node& node) {
    node.workspace_dir = at.text("workspace_dir");
    const auto access = read_access(at);
    if (node.workspace_dir.empty()) {
        if (access && *access != crds::WorkspaceAccess::none) {
            wrong(at, "workspace_access",
                  fmt::format("workspace_access {} needs workspace_dir", json::name_of(*access)));
        }
        return;
    }
    node.workspace_access = access.value_or(crds::WorkspaceAccess::read_write);
    if (const std::string_view why = why_not_mounted(node); !why.empty()) {
        at.loader().findings().warn(at.place_of("workspace_dir"), "IgnoredField",
                                    fmt::format("workspace_dir is ignored: {}", why));
    }
    // A path with ${NAME} can be checked only after an Org has expanded it (org/desired.cc).
    if (node.workspace_dir.find("${") != std::string::npos) return;
    auto cleaned = clean_workspace_dir(node.workspace_dir);
    if (!cleaned) return wrong(at, "workspace_dir", cleaned.error().message);
    node.workspace_dir = *std::move(cleaned);
}

std::string read_persona(Mapping& at) {
    std::string persona = at.text("persona");
    if (persona.empty() || is_persona_key(persona)) return persona;
    wrong(at, "persona",
          fmt::format("persona \"{}\" must be letters and digits, with '_' or '-' between "
                      "them, at most 100",
                      persona));
    return {};
}

std::optional<Canvas> read_canvas(Mapping& at) {
    const auto field = at.find("canvas");
    if (!field) return std::nullopt;
    Mapping canvas(at.loader(), *field, "canvas");
    const Canvas place{canvas.number("x").value_or(0), canvas.number("y").value_or(0)};
    canvas.warn_unknown();
    return place;
}

void read_prompts(Mapping& at, const Defaults& defaults, const std::string& folder, Node& node) {
    node.initial_prompt = read_prompt(at, "initial_prompt", folder);
    if (node.initial_prompt.empty()) node.initial_prompt = defaults.initial_prompt;
    node.idle_prompt = read_prompt(at, "idle_prompt", folder);
    if (node.idle_prompt.empty()) node.idle_prompt = defaults.idle_prompt;
    std::int64_t interval = read_idle_interval(at);
    if (node.idle_prompt.empty()) return;
    if (interval == 0) interval = defaults.idle_interval_seconds;
    node.idle_interval_seconds = interval > 0 ? interval : default_idle_interval;
}

void ignore_fields_without_effect(Mapping& at) {
    for (const std::string_view field :
         {std::string_view("parent"), std::string_view("template")}) {
        at.ignore(field);
        if (!at.has(field)) continue;
        at.loader().findings().warn(at.place_of(field), "IgnoredField",
                                    field == "parent"
                                        ? "parent is ignored: the place in the tree decides"
                                        : "template is ignored: put the files into files_dir");
    }
}

}  // namespace

bool has_control(std::string_view text, std::string_view except) {
    return std::any_of(text.begin(), text.end(), [&](char c) {
        const bool control = static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
        return control && except.find(c) == std::string_view::npos;
    });
}

std::vector<std::string> united_plugins(const std::vector<std::string>& defaults,
                                        const std::vector<std::string>& own) {
    std::vector<std::string> plugins;
    const auto add = [&](const std::vector<std::string>& entries) {
        for (const std::string& entry : entries) {
            if (entry.starts_with('!') || entry.starts_with('-')) {
                std::erase(plugins, entry.substr(1));
            } else if (std::find(plugins.begin(), plugins.end(), entry) == plugins.end()) {
                plugins.push_back(entry);
            }
        }
    };
    add(defaults);
    add(own);
    return plugins;
}

Defaults read_defaults(Mapping& at, EnvRequirements& env) {
    Defaults defaults;
    defaults.runtime = read_runtime(at);
    defaults.tier = read_tier(at);
    defaults.model = read_word(at, "model");
    defaults.plugins = read_plugins(at);
    defaults.initial_prompt = read_prompt(at, "initial_prompt", "");
    defaults.idle_prompt = read_prompt(at, "idle_prompt", "");
    defaults.idle_interval_seconds = read_idle_interval(at);
    defaults.category_routing = read_routing(at);
    defaults.initial_memories = read_memories(at, "initial_memories");
    read_env_requirements(at, env);
    return defaults;
}

std::optional<std::string> read_files_dir(Mapping& at) {
    const std::string text = at.text("files_dir");
    if (text.empty()) return std::nullopt;
    auto folder = resolve_path("", text);
    if (folder) return *folder;
    at.loader().findings().error(at.place_of("files_dir"), "FilesEscape",
                                 fmt::format("files_dir {}: {}", text, folder.error().message));
    return std::nullopt;
}

Node read_node(Mapping& at, const Defaults& defaults, EnvMap& channel_secrets) {
    Node node;
    const auto folder = read_files_dir(at);
    node.files_dir = folder.value_or("");
    node.persona = read_persona(at);
    node.role = std::string(trim(at.text("role")));
    if (node.role.size() > longest_role || has_control(node.role, "\n\t")) {
        wrong(at, "role",
              fmt::format("role must be text of at most {} bytes, without control characters",
                          longest_role));
    }
    node.runtime = read_runtime(at);
    if (node.runtime.empty()) node.runtime = defaults.runtime;
    node.tier = read_tier(at);
    if (node.tier == 0) node.tier = defaults.tier == 0 ? default_tier : defaults.tier;
    node.model = read_word(at, "model");
    if (node.model.empty()) node.model = defaults.model;
    node.plugins = united_plugins(defaults.plugins, read_plugins(at));
    if (node.plugins.size() > most_plugins) {
        wrong(at, "plugins", fmt::format("more than {} plugins", most_plugins));
    }
    read_prompts(at, defaults, node.files_dir, node);
    node.category_routing = merged_routing(defaults.category_routing, read_routing(at));
    if (node.category_routing.size() > most_categories) {
        wrong(at, "category_routing",
              fmt::format("category_routing has more than {} categories", most_categories));
    }
    node.initial_memories = read_memories(at, "initial_memories");
    if (node.initial_memories.empty()) node.initial_memories = defaults.initial_memories;
    node.schedules = read_schedules(at, node.files_dir);
    node.channels = read_channels(at, channel_secrets);
    node.max_concurrent_tasks = read_tasks(at);
    node.external = at.boolean("external").value_or(false) || node.runtime == "external";
    node.url = read_url(at, node.external);
    read_workspace_dir(at, node);
    node.canvas = read_canvas(at);
    ignore_fields_without_effect(at);
    return node;
}

}  // namespace atelier::templates
