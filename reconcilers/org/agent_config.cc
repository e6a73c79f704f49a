#include "reconcilers/org/agent_config.h"

#include "base/json.h"
#include "crds/yaml.h"

namespace atelier::reconcilers::org {
namespace {

// The model that is written when neither the template nor the Org names one. The workspace's spec
// stays without a model, so that the variable MODEL in its environment can still choose one.
std::string_view model_of(const crds::WorkspaceSpec& spec) {
    if (!spec.model.empty()) return spec.model;
    return spec.runtime == "claude-code" ? "sonnet" : "anthropic:claude-opus-4-7";
}

void set_text(json::Document& config, std::string_view name, std::string_view text) {
    if (!text.empty()) json::set(config, name, text, config.GetAllocator());
}

void set_number(json::Document& config, std::string_view name, std::int64_t number) {
    json::set(config, name, json::Value(number), config.GetAllocator());
}

}  // namespace

std::string agent_config(const crds::WorkspaceSpec& spec) {
    json::Document config(rapidjson::kObjectType);
    set_text(config, "name", spec.display_name);
    set_text(config, "role", spec.role);
    set_text(config, "runtime", spec.runtime);
    set_number(config, "tier", spec.tier);
    set_text(config, "model", model_of(spec));
    set_number(config, "max_concurrent_tasks", spec.max_concurrent_tasks);
    if (!spec.plugins.empty()) {
        json::set(config, "plugins", json::Value(rapidjson::kArrayType), config.GetAllocator());
        for (const std::string& plugin : spec.plugins) {
            config["plugins"].PushBack(json::make(plugin, config.GetAllocator()),
                                       config.GetAllocator());
        }
    }
    set_text(config, "initial_prompt", spec.initial_prompt);
    set_text(config, "idle_prompt", spec.idle_prompt);
    if (!spec.idle_prompt.empty()) {
        set_number(config, "idle_interval_seconds", spec.idle_interval_seconds);
    }
    if (!spec.category_routing.empty()) {
        json::Value routing(rapidjson::kObjectType);
        for (const auto& [category, names] : spec.category_routing) {
            json::Value list(rapidjson::kArrayType);
            for (const std::string& name : names) {
                list.PushBack(json::make(name, config.GetAllocator()), config.GetAllocator());
            }
            json::set(routing, category, std::move(list), config.GetAllocator());
        }
        json::set(config, "category_routing", std::move(routing), config.GetAllocator());
    }
    return crds::to_yaml(config);
}

}  // namespace atelier::reconcilers::org
