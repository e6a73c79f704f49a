#include "drivers/docker/events.h"

#include <array>

#include "drivers/docker/stream.h"
#include "drivers/docker/units.h"
#include "drivers/runtime_names.h"

namespace atelier::drivers {

namespace {

using json::Document;
using json::Value;

// Not those of exec: they are many, and say nothing of the unit.
constexpr std::array<std::string_view, 11> wanted{"start",         "die",     "oom",       "pause",
                                                  "unpause",       "destroy", "rename",    "update",
                                                  "health_status", "connect", "disconnect"};

// Without the labels of units: the engine would then leave out the events of networks, which have
// none.
std::string filters() {
    Document filter(rapidjson::kObjectType);
    auto& a = filter.GetAllocator();
    Value types(rapidjson::kArrayType);
    types.PushBack("container", a).PushBack("network", a);
    json::set(filter, "type", std::move(types), a);
    Value names(rapidjson::kArrayType);
    for (const std::string_view name : wanted) names.PushBack(json::make(name, a), a);
    json::set(filter, "event", std::move(names), a);
    return json::text(filter);
}

// "seconds.nanoseconds", as the engine takes it for `since`.
std::string time_text(std::int64_t nanoseconds) {
    std::string fraction = std::to_string(nanoseconds % 1'000'000'000);
    fraction.insert(0, 9 - fraction.size(), '0');
    return std::to_string(nanoseconds / 1'000'000'000) + "." + fraction;
}

// The engine mixes labels with facts of its own.
Labels labels_of_event(const Document& event) {
    Labels labels = labels_of(json::find(event, {"Actor", "Attributes"}));
    for (const char* own : {"image", "name", "exitCode", "signal", "oldName", "execDuration"}) {
        labels.erase(own);
    }
    return labels;
}

}  // namespace

std::string DockerEvents::since(const Labels& having) {
    const std::lock_guard lock(mutex_);
    const auto it = followed_until_.find(having);
    if (it != followed_until_.end()) return it->second;
    const std::int64_t contact = api_.http.first_contact();
    return contact == 0 ? std::string() : std::to_string(contact);
}

// The engine announces a death, a pause or an unpause while its list still has the old state, and
// writes the new one down a moment later. A caller that lists at once would see nothing, and there
// is no second event. An inspection waits until the engine has written it down.
void DockerEvents::take(std::string_view line, const Labels& having,
                        const std::function<void(const Labels&)>& on_event) {
    const auto event = json::parse(line);
    if (!event || !event->IsObject()) return;
    const Value* time = json::find(*event, {"timeNano"});
    if (time && time->IsInt64()) {
        const std::lock_guard lock(mutex_);
        followed_until_[having] = time_text(time->GetInt64());
    }
    const std::string action = json::string_at(*event, {"Action"});
    if (json::string_at(*event, {"Type"}) == "network") {
        if (action != "connect" && action != "disconnect") return;
        const auto unit =
            inspect_unit(api_, json::string_at(*event, {"Actor", "Attributes", "container"}));
        if (unit && *unit && has_all((*unit)->labels, having)) on_event((*unit)->labels);
        return;
    }
    const Labels labels = labels_of_event(*event);
    if (!has_all(labels, having)) return;
    if (action == "die" || action == "pause" || action == "unpause") {
        static_cast<void>(inspect_unit(api_, json::string_at(*event, {"Actor", "ID"})));
    }
    on_event(labels);
}

Result<void> DockerEvents::follow(const std::stop_token& stop, const Labels& having,
                                  const std::function<void(const Labels&)>& on_event) {
    std::string path = "/events?filters=" + url_escape(filters());
    const std::string from = since(having);
    if (!from.empty()) path += "&since=" + from;
    LineStream lines([&](std::string_view line) { take(line, having, on_event); });
    auto reply = api_.http.call({.method = "GET",
                                 .path = path,
                                 .sink = [&](std::string_view bytes) { lines.feed(bytes); },
                                 .deadline = Duration::zero(),
                                 .stop = stop});
    if (!reply) {
        if (reply.error().code == Code::cancelled) return {};
        return std::move(reply).error();
    }
    if (!reply->ok()) return docker_error(*reply, "events cannot be followed");
    return Error{Code::unavailable, "the stream of events ended"};
}

}  // namespace atelier::drivers
