#include "controllers/retention.h"

#include <string>

#include "base/json.h"
#include "crds/plugin_update.h"
#include "crds/plugin_update_conditions.h"

namespace atelier::controllers {
namespace {

using Values = std::vector<std::string>;

// Events that another program writes may lack the uid.
Values involved_object(const store::Object& event) {
    const auto document = json::parse(event.body);
    if (!document) return {};
    const auto part = [&](std::string_view name) {
        return json::string_at(*document, {"involvedObject", name});
    };
    const std::string uid = part("uid");
    if (!uid.empty()) return {uid};
    return {part("kind") + "/" + store::in_namespace(part("namespace"), part("name"))};
}

Values plugin_of_ended(const store::Object& object) {
    const auto update = crds::decode<crds::PluginUpdate>(object.body);
    if (!update || !crds::has_ended(update->status.phase)) return {};
    return {store::in_namespace(object.key.ns, update->spec.plugin)};
}

constexpr store::FieldIndex events_by_object{"events", "involvedObject", involved_object};
constexpr store::FieldIndex ended_updates{crds::PluginUpdateSpec::resource, "ended",
                                          plugin_of_ended};

}  // namespace

std::vector<Retention> usual_retentions() {
    return {{&events_by_object, 100}, {&ended_updates, 20}};
}

}  // namespace atelier::controllers
