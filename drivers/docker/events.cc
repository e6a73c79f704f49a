// The stream of what happens to containers.
#include <array>

#include "drivers/docker/engine.h"

namespace atelier::drivers {

namespace {

using json::Document;
using json::Value;

constexpr std::size_t most_line = std::size_t{1} << 20;
// exec makes events too, many of them, and they say nothing of the unit.
constexpr std::array<std::string_view, 7> wanted{"start",   "die",     "oom",   "pause",
                                                 "unpause", "destroy", "rename"};

std::string filters(const Labels& having) {
    Document filter = label_filter(having);
    auto& a = filter.GetAllocator();
    Value types(rapidjson::kArrayType);
    types.PushBack(json::make("container", a), a);
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
    for (const char* own : {"image", "name", "exitCode", "signal", "oldName"}) labels.erase(own);
    return labels;
}

}  // namespace

// The engine tells of a death while its list still says "running", and writes that down a moment
// later, when it has cleared up after the container. Who looked at once would see nothing, and hear
// of it never again. To be inspected, a container must be free of that.
void DockerEngine::settle(const std::string& id) {
    if (check_runtime_name("unit", id)) static_cast<void>(get("/containers/" + id + "/json"));
}

Result<void> DockerEngine::events(std::stop_token stop, const Labels& having,
                                  const std::function<void(const Labels&)>& on_event) {
    const auto seen = [&]() -> std::string {
        const std::lock_guard lock(events_mutex_);
        const auto it = seen_until_.find(having);
        if (it != seen_until_.end()) return it->second;
        const std::int64_t contact = http_->first_contact();
        return contact == 0 ? std::string() : std::to_string(contact);
    };
    std::string path = "/events?filters=" + url_escape(filters(having));
    const std::string since = seen();
    if (!since.empty()) path += "&since=" + since;

    std::string pending;
    const auto take_line = [&](std::string_view line) {
        const auto event = json::parse(line);
        if (!event || !event->IsObject()) return;
        const Value* time = json::find(*event, {"timeNano"});
        if (time && time->IsInt64()) {
            const std::lock_guard lock(events_mutex_);
            seen_until_[having] = time_text(time->GetInt64());
        }
        if (json::string_at(*event, {"Action"}) == "die") settle(json::string_at(*event, {"id"}));
        on_event(labels_of_event(*event));
    };
    const auto take = [&](std::string_view bytes) {
        pending += bytes;
        std::size_t end = 0;
        while ((end = pending.find('\n')) != std::string::npos) {
            const std::string line = pending.substr(0, end);
            pending.erase(0, end + 1);
            if (!line.empty()) take_line(line);
        }
        if (pending.size() > most_line) pending.clear();
    };
    auto reply = http_->call(
        {.method = "GET", .path = path, .sink = take, .deadline = Duration::zero(), .stop = stop});
    if (!reply) {
        if (reply.error().code == Code::cancelled) return {};
        return std::move(reply).error();
    }
    if (!reply->ok()) return docker_error(*reply, "events cannot be followed");
    return Error{Code::unavailable, "the stream of events ended"};
}

}  // namespace atelier::drivers
