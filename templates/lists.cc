#include "templates/lists.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "templates/channel.h"
#include "templates/cron.h"
#include "templates/env.h"
#include "templates/prompt.h"
#include "templates/redact.h"

namespace atelier::templates {
namespace {

constexpr std::size_t longest_memory = 100'000;  // bytes
constexpr std::size_t longest_schedule_prompt = 100'000;
constexpr std::size_t longest_schedule_name = 255;
constexpr std::size_t longest_timezone = 64;
constexpr std::size_t longest_config_value = 4096;
constexpr std::size_t longest_routed_name = 255;
constexpr std::size_t longest_cron = 255;
constexpr std::size_t most_routed_names = 1000;
constexpr std::size_t most_settings = 100;  // of a channel
constexpr std::size_t most_users = 10'000;  // of a channel
constexpr std::size_t most_schedules = 200;

std::string without_carriage_returns(std::string text) {
    std::erase(text, '\r');
    return text;
}

std::optional<crds::EnvRequirement> read_requirement(Loader& loader, const Cursor& at) {
    std::vector<std::pair<std::string, Place>> names;
    if (at.value->IsString()) {
        names.emplace_back(json::view(*at.value), at.place());
    } else {
        Mapping group(loader, at, "an entry of required_env or recommended_env");
        for (const Cursor& name : group.list("any_of")) {
            names.emplace_back(name.value->IsString() ? json::view(*name.value) : "", name.place());
        }
        group.warn_unknown();
    }
    crds::EnvRequirement requirement;
    for (auto& [name, place] : names) {
        if (is_required_env_name(name)) {
            requirement.any_of.push_back(std::move(name));
        } else {
            loader.findings().warn(
                place, "InvalidEnvName",
                fmt::format(
                    "\"{}\" is not a name that can be required: capital letters, digits and "
                    "'_'; it is ignored",
                    name));
        }
    }
    if (requirement.any_of.empty()) return std::nullopt;
    return requirement;
}

std::optional<crds::Memory> read_memory(Mapping& at) {
    crds::Memory memory;
    const std::string content = at.text("content");
    const std::string scope = at.text("scope");
    if (!scope.empty()) memory.scope = scope;
    auto& findings = at.loader().findings();
    if (trim(content).empty()) {
        findings.warn(at.at().place(), "MemorySkipped", "a memory without content is skipped");
        return std::nullopt;
    }
    if (memory.scope != "LOCAL" && memory.scope != "TEAM" && memory.scope != "GLOBAL") {
        findings.warn(at.place_of("scope"), "MemorySkipped",
                      fmt::format("a memory of scope \"{}\" is skipped: LOCAL, TEAM or GLOBAL",
                                  memory.scope));
        return std::nullopt;
    }
    memory.content = redacted(content);
    if (memory.content != content) {
        findings.warn(at.place_of("content"), "MemoryRedacted",
                      "what looks like a secret was taken out of a memory");
    }
    if (memory.content.size() > longest_memory) {
        std::size_t end = longest_memory;
        while ((static_cast<unsigned char>(memory.content[end]) & 0xC0) == 0x80) --end;
        memory.content.resize(end);
        findings.warn(at.place_of("content"), "MemoryCut",
                      fmt::format("a memory was cut to {} bytes", longest_memory));
    }
    return memory;
}

// Checks the form alone: machines differ in which zones they know, and a template must compile to
// the same everywhere.
bool is_timezone(std::string_view name) {
    return name.size() <= longest_timezone && name.front() != '/' &&
           std::all_of(name.begin(), name.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '/' || c == '_' || c == '+' || c == '-';
           });
}

std::optional<crds::Schedule> read_schedule(Mapping& at, const std::string& folder) {
    crds::Schedule schedule;
    schedule.name = at.text("name");
    schedule.cron_expr = at.text("cron_expr");
    const std::string timezone = at.text("timezone");
    if (!timezone.empty()) schedule.timezone = timezone;
    schedule.prompt = without_carriage_returns(read_prompt(at, "prompt", folder));
    schedule.enabled = at.boolean("enabled").value_or(true);
    std::string why;
    if (schedule.name.empty()) why = "it has no name";
    if (schedule.name.size() > longest_schedule_name) why = "its name is too long";
    if (!is_timezone(schedule.timezone)) {
        why = fmt::format("\"{}\" is not a time zone such as Europe/Berlin", schedule.timezone);
    }
    if (schedule.prompt.size() > longest_schedule_prompt) why = "its prompt is too long";
    if (schedule.prompt.empty()) why = "it has no prompt";
    if (!is_cron(schedule.cron_expr) || schedule.cron_expr.size() > longest_cron) {
        why = fmt::format("\"{}\" is not a cron expression of five fields", schedule.cron_expr);
    }
    if (why.empty()) return schedule;
    at.loader().findings().warn(
        at.at().place(), "ScheduleSkipped",
        fmt::format("the schedule \"{}\" is skipped: {}", schedule.name, why));
    return std::nullopt;
}

// Reads the settings as texts. Returns why that fails; empty: it did not.
std::string read_settings(Mapping& at, crds::Channel& channel) {
    const auto field = at.find("config");
    if (!field) return {};
    if (!field->value->IsObject()) return "config must be a mapping";
    if (field->value->MemberCount() > most_settings) return "config has too many settings";
    for (const auto& member : field->value->GetObject()) {
        if (member.value.IsObject() || member.value.IsArray()) {
            return "the values of config must be texts";
        }
        if (member.value.IsNull()) continue;
        std::string value = member.value.IsString() ? std::string(json::view(member.value))
                                                    : json::text(member.value);
        if (value.size() > longest_config_value) return "a value of config is too long";
        channel.config[std::string(json::view(member.name))] = std::move(value);
    }
    return {};
}

// A secret that is written in the template becomes a variable of the workspace, so that neither the
// artifact nor an object holds it.
void take_secrets(Mapping& at, crds::Channel& channel, EnvMap& secrets) {
    for (auto& [name, value] : channel.config) {
        if (!is_secret_setting(name) || value.empty()) continue;
        if (value.find("${") != std::string::npos) continue;
        const std::string variable = variable_of_setting(channel.type, name);
        at.loader().findings().warn(
            at.place_of("config"), "SecretInTemplate",
            fmt::format("{} of the channel \"{}\" stands in the template for all to read; it is "
                        "kept as the variable {}: write ${{NAME}}, and set NAME in .env or in a "
                        "Secret",
                        name, channel.type, variable));
        secrets.insert_or_assign(variable, std::move(value));
        value = fmt::format("${{{}}}", variable);
    }
}

std::optional<crds::Channel> read_channel(Mapping& at) {
    crds::Channel channel;
    channel.type = at.text("type");
    channel.allowed_users = at.texts("allowed_users");
    channel.enabled = at.boolean("enabled").value_or(true);
    std::string why = read_settings(at, channel);
    if (channel.allowed_users.size() > most_users) why = "it has too many allowed_users";
    if (why.empty()) why = why_unusable(channel);
    if (why.empty()) return channel;
    at.loader().findings().warn(
        at.at().place(), "ChannelSkipped",
        fmt::format("the channel \"{}\" is skipped: {}", channel.type, why));
    return std::nullopt;
}

}  // namespace

void read_env_requirements(Mapping& at, EnvRequirements& env) {
    for (const Cursor& entry : at.list("required_env")) {
        if (auto requirement = read_requirement(at.loader(), entry)) {
            env.required.push_back(std::move(*requirement));
        }
    }
    for (const Cursor& entry : at.list("recommended_env")) {
        if (auto requirement = read_requirement(at.loader(), entry)) {
            env.recommended.push_back(std::move(*requirement));
        }
    }
}

std::vector<crds::Memory> read_memories(Mapping& at, std::string_view field) {
    std::vector<crds::Memory> memories;
    for (const Cursor& element : at.list(field)) {
        if (memories.size() >= most_memories) {
            at.loader().findings().error(element.place(), "InvalidField",
                                         fmt::format("more than {} memories", most_memories));
            break;
        }
        Mapping entry(at.loader(), element, "a memory");
        if (auto memory = read_memory(entry)) memories.push_back(std::move(*memory));
        entry.warn_unknown();
    }
    return memories;
}

std::vector<crds::Schedule> read_schedules(Mapping& at, const std::string& folder) {
    std::vector<crds::Schedule> schedules;
    for (const Cursor& element : at.list("schedules")) {
        Mapping entry(at.loader(), element, "a schedule");
        auto schedule = read_schedule(entry, folder);
        entry.warn_unknown();
        if (!schedule) continue;
        if (schedules.size() >= most_schedules) {
            at.loader().findings().error(element.place(), "InvalidField",
                                         fmt::format("more than {} schedules", most_schedules));
            break;
        }
        const bool repeated =
            std::any_of(schedules.begin(), schedules.end(),
                        [&](const crds::Schedule& other) { return other.name == schedule->name; });
        if (repeated) {
            at.loader().findings().warn(element.place(), "ScheduleSkipped",
                                        fmt::format("the schedule \"{}\" is skipped: there is "
                                                    "another of that name",
                                                    schedule->name));
            continue;
        }
        schedules.push_back(std::move(*schedule));
    }
    return schedules;
}

std::vector<crds::Channel> read_channels(Mapping& at, EnvMap& secrets) {
    std::vector<crds::Channel> channels;
    for (const Cursor& element : at.list("channels")) {
        Mapping entry(at.loader(), element, "a channel");
        auto channel = read_channel(entry);
        entry.warn_unknown();
        if (!channel) continue;
        const bool repeated =
            std::any_of(channels.begin(), channels.end(),
                        [&](const crds::Channel& other) { return other.type == channel->type; });
        if (repeated) {
            at.loader().findings().warn(
                element.place(), "ChannelSkipped",
                fmt::format("a second channel \"{}\" is skipped", channel->type));
            continue;
        }
        take_secrets(entry, *channel, secrets);
        channels.push_back(std::move(*channel));
    }
    return channels;
}

Routing read_routing(Mapping& at) {
    Routing routing;
    const auto field = at.find("category_routing");
    if (!field) return routing;
    Mapping entries(at.loader(), *field, "category_routing");
    if (!entries.at().value) return routing;
    for (const auto& member : entries.at().value->GetObject()) {
        const std::string category(json::view(member.name));
        routing[category] = entries.texts(category);
        if (routing[category].size() > most_routed_names) {
            at.loader().findings().error(
                entries.place_of(category), "InvalidField",
                fmt::format("category_routing names more than {} for a category",
                            most_routed_names));
        }
        for (const std::string& name : routing[category]) {
            if (name.size() <= longest_routed_name) continue;
            at.loader().findings().error(entries.place_of(category), "InvalidField",
                                         fmt::format("a name in category_routing has more than {} "
                                                     "bytes",
                                                     longest_routed_name));
        }
    }
    return routing;
}

}  // namespace atelier::templates
